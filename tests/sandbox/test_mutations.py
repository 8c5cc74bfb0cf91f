"""Truncated and mutated modules at deploy: refused or run, never a crash."""

import contextlib
import random
from pathlib import Path

import pytest

from edge.model.errors import InvalidModule
from edge.sandbox.build import BuildOrder, build
from edge.sandbox.engine import GIB, PoolPlan
from tests.toolchain import build_guest, build_hostile

MUTATIONS = 2_000
BATCHES = 8
SEED = 20
MIB = 1 << 20
PLAN = PoolPlan(1, 4 * GIB, 32 * MIB, 4 * GIB)


def mutate(module: bytes, source: random.Random) -> bytes:
    """A module with a few bytes changed, cut, doubled or dropped."""
    damaged = bytearray(module)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(8, len(damaged)) if len(damaged) > 9 else 8
        match source.randrange(4):
            case 0:
                damaged[at:] = b""
            case 1:
                damaged[at : at + 1] = bytes([source.randrange(256)])
            case 2:
                damaged[at:at] = damaged[at : at + source.randint(1, 16)]
            case _:
                del damaged[at : at + source.randint(1, 16)]
        if len(damaged) <= 9:
            break
    return bytes(damaged)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(300)
def test_mutated_modules_are_refused_or_built(tmp_path: Path, batch: int) -> None:
    """The whole pipeline, in this process: a crash of any stage would end the test run."""
    source = random.Random(SEED + batch)
    originals = [
        build_guest("tiny").read_bytes(),
        build_guest("hello").read_bytes(),
        build_hostile("wasi_everywhere"),
        build_hostile("table_growth"),
    ]
    path = tmp_path / "module.wasm"
    order = BuildOrder(
        module=str(path),
        image=str(tmp_path / "image.wasm"),
        compiled_directory=str(tmp_path / "compiled"),
        snapshot=True,
        environment=(),
        memory_bytes_max=32 * MIB,
        fuel_max=20_000_000,
        build_memory_bytes_max=0,
        reservation_bytes=PLAN.reservation_bytes,
        guard_bytes=PLAN.guard_bytes,
        pool_memory_bytes_max=PLAN.memory_bytes_max,
    )
    built = 0
    for _ in range(MUTATIONS // BATCHES):
        path.write_bytes(mutate(source.choice(originals), source))
        with contextlib.suppress(InvalidModule):  # anything else fails the test
            build(order)
            built += 1
    assert built < MUTATIONS // BATCHES
