"""The engine on machines large and small, and what its compiled files are worth elsewhere."""

import subprocess
import sys
from dataclasses import replace

import pytest
import wasmtime

from edge.model.limits import MIB
from edge.sandbox.engine import GIB, Engine, plan_pool
from tests.wat import HELLO

SMALL = """
import resource, sys
from edge.model.limits import MIB
from edge.sandbox.engine import Engine, plan_pool
gigabytes, memory_mb = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30,) * 2)
plan = plan_pool(320, memory_mb * MIB)
Engine(plan)
print(plan.slots, plan.reservation_bytes)
"""


def in_address_space(gigabytes: int, memory_mb: int) -> tuple[int, int]:
    """(slots, reservation) that a process with so little address space plans, and starts with."""
    command = [sys.executable, "-c", SMALL, str(gigabytes), str(memory_mb)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    slots, reservation = done.stdout.split()
    return int(slots), int(reservation)


def test_a_small_board_starts() -> None:
    """39 bits of address space and a gigabyte of memory are enough for every guest asked for."""
    slots, reservation = in_address_space(480, 1024)
    assert (slots, reservation) == (320, 1024 * MIB)


def test_very_little_address_space_means_fewer_guests() -> None:
    """Where not all fit, as many as fit."""
    slots, reservation = in_address_space(24, 1024)
    assert 8 <= slots < 320
    assert reservation == 1024 * MIB


def test_a_server_reserves_enough_to_leave_out_bounds_checks() -> None:
    """With address space to spare each memory gets the 4 GiB that a 32-bit pointer can reach."""
    assert plan_pool(320, 128 * MIB).reservation_bytes == 4 * GIB


def test_identity_tells_compiled_files_apart() -> None:
    """A file compiled under other settings is not even looked at, and Wasmtime refuses it too."""
    plan = plan_pool(8, 128 * MIB)
    checked = Engine(replace(plan, reservation_bytes=128 * MIB, guard_bytes=64 * 1024))
    unchecked = Engine(plan)
    assert checked.identity != unchecked.identity
    assert unchecked.identity == Engine(plan).identity
    compiled = wasmtime.Module(unchecked.wasmtime, HELLO).serialize()
    wasmtime.Module.deserialize(unchecked.wasmtime, compiled)
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Module.deserialize(checked.wasmtime, compiled)


@pytest.mark.parametrize("slots", [8, 64])
def test_compiled_files_fit_pools_of_any_size(slots: int) -> None:
    """A build process with one slot compiles for a worker with hundreds."""
    one = Engine(replace(plan_pool(8, 128 * MIB), slots=1))
    many = Engine(plan_pool(slots, 128 * MIB))
    compiled = wasmtime.Module(one.wasmtime, HELLO).serialize()
    assert one.identity == many.identity
    assert wasmtime.Module.deserialize(many.wasmtime, compiled).exports
