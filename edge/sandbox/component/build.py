"""The build of a component: inspect, link, compile, and start it once within its limits.

Neighbours: `sandbox/build.py`, in whose process this runs and whose bounds hold here too.
"""

import wasmtime
from wasmtime import component as wit

from edge.host.calls import HostCalls
from edge.host.grants import GrantSet
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.host.wasi2.context import Context
from edge.model.errors import InvalidModule
from edge.model.function import GuestKind
from edge.model.limits import MIB
from edge.model.outcome import Outcome
from edge.sandbox.component.instance import ComponentInstance
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.engine import Engine
from edge.sandbox.instance import Allowance
from edge.sandbox.memories import Images
from edge.sandbox.seats import Seats
from edge.sandbox.stop import GuestStopped

_MESSAGE_CHARS_MAX = 500


def build_component(
    engine: Engine, module: bytes, images: Images, allowance: Allowance
) -> tuple[GuestKind, bytes]:
    """Its kind, and machine code for this host. Raises InvalidModule.

    `images` are what its memories begin with, if that is not in it.
    """
    try:
        compiled = bytes(wit.Component(engine.compiler, module).serialize())
        component = wit.Component.deserialize(engine.wasmtime, compiled)
    except wasmtime.WasmtimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[-1] if lines else "it is malformed")[:_MESSAGE_CHARS_MAX]
        raise InvalidModule(f"the component cannot be compiled: {reason}") from None
    seats = Seats(1)
    loaded = LoadedComponent(engine, component, seats.by_number, images)
    _check_memory(loaded, seats, allowance)
    return loaded.kind, compiled


def _check_memory(component: LoadedComponent, seats: Seats, allowance: Allowance) -> None:
    """Refuse one that does not fit its memory limit even before its first event.

    Whatever else a start comes to (it may wait, or want what only an event brings) is for later.
    """
    seat = seats.take()
    assert seat is not None
    session = Session("", "", GrantSet(), (), LogBuffer(), deadline_ns=0)
    guest = ComponentInstance(component, seat, Context(session, HostCalls({})), allowance)
    try:
        for _ in guest.start():
            if guest.pending is not None:
                break
    except GuestStopped as stopped:
        if stopped.outcome is Outcome.OUT_OF_MEMORY:
            raise InvalidModule(
                f"the component needs more memory to start than its limit of"
                f" {allowance.memory_bytes_max // MIB} MB: deploy it with more memory"
            ) from None
    finally:
        guest.close()
