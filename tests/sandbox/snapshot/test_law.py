"""The law of snapshots: a restored instance equals one that was just initialised."""

import hashlib

import pytest
import wasmtime
from hypothesis import HealthCheck, event, given, settings

from edge.model.errors import InitFailed
from tests.sandbox.snapshot.generated import TABLES, modules
from tests.sandbox.snapshot.guests import Guest, snapshot, wat

LOOKS = ("g0", "g1", "g2", "g3", "g4_low", "g4_high", "g5", "g6", "g7")


def outcome(guest: Guest, name: str, *arguments: int) -> object:
    """What a call gives, a trap by its code."""
    try:
        return guest.call(name, *arguments)
    except wasmtime.Trap as trap:
        return trap.trap_code


def state(guest: Guest) -> list[object]:
    """Everything the guest can tell of its state."""
    seen: list[object] = [hashlib.sha256(guest.bytes_of(name)).hexdigest() for name in ("m0", "m1")]
    seen += [outcome(guest, f"look_{name}") for name in LOOKS]
    seen.append(outcome(guest, "size_t2"))
    for table in TABLES:
        size = guest.call(f"size_t{table}")
        assert isinstance(size, int)
        seen.append(size)
        for slot in range(size):
            seen.append(outcome(guest, f"null_t{table}", slot))
            seen.append(outcome(guest, f"call_t{table}", slot))
    return seen


def life(guest: Guest) -> list[object]:
    """The state an event finds, what the event's operations give and cost, and what is left."""
    before = state(guest)
    fuel = guest.store.get_fuel()
    result = outcome(guest, "edge_handle")
    used = fuel - guest.store.get_fuel()
    segments = [name for name in guest.exports if name.startswith("use_")]
    return [before, result, used, state(guest), [outcome(guest, name) for name in segments]]


@given(modules())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_restored_instance_equals_an_initialised_one(text: str) -> None:
    """Nothing the initialiser did is lost or done twice, and events cost the same fuel."""
    module = wat(text)
    try:
        plain = Guest(module).initialise()
    except (wasmtime.Trap, wasmtime.WasmtimeError):
        event("the initialiser traps")
        with pytest.raises(InitFailed):
            snapshot(module)
        return
    taken = snapshot(module)
    event("the initialiser returns")
    assert life(plain) == life(Guest(taken.module).initialise())
    # A snapshot has nothing left to initialise.
    assert snapshot(taken.module).module == taken.module
