"""What guests usually write is there before they run, and nothing of it is anyone else's."""

import resource
import sys
from pathlib import Path

import pytest

from edge.config import load
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.outcome import Outcome
from edge.sandbox.component.pages import PAGE_BYTES, READ, WRITTEN, Region, Run, read_regions
from edge.sandbox.component.usual import (
    PAGES_AT_ONCE,
    PAGES_MAX,
    UsualPages,
    _pieces,
    _runs,
    _usual,
)
from edge.sandbox.engine import RESIDENT_BYTES
from edge.worker import open_worker
from tests.components import component
from tests.sandbox.component.test_component_ready import until

PAGE = PAGE_BYTES
KEPT = RESIDENT_BYTES // PAGE
COUNT = 128
BEGIN = 1 << 20
ROUNDS = 30
# Each request finds its pages as the image has them, and leaves them changed.
SCRIBBLER = component(
    f"""
    (local.set $a (i32.const {BEGIN}))
    (loop $each
      (if (i32.ne (i32.load8_u (local.get $a)) (i32.const 7)) (then unreachable))
      (i32.store8 (local.get $a) (i32.const 9))
      (local.set $a (i32.add (local.get $a) (i32.const {PAGE})))
      (br_if $each (i32.lt_u (local.get $a) (i32.const {BEGIN + COUNT * PAGE}))))
    """,
    image="\n".join(f'(data (i32.const {BEGIN + page * PAGE}) "\\07")' for page in range(COUNT)),
)


def faults() -> int:
    """Page faults of this process until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was written")
async def test_a_guest_that_waited_takes_no_faults(tmp_path: Path) -> None:
    """Its usual pages are its own already, as the image has them, and it is billed as before."""
    async with open_worker(load({"data": tmp_path, "ready_per_function_max": 2}), 0) as worker:
        await worker.deployer.deploy("f", SCRIBBLER, Settings())
        seen = []
        results = []
        for _ in range(ROUNDS):
            before = faults()
            results.append(await worker.invoker.invoke(Event("f", {}, "r")))
            seen.append(faults() - before)
            await until(lambda: worker.sandbox.readiness("f").ready == 2)
    assert {result.outcome for result in results} == {Outcome.OK}
    assert len({result.usage.fuel for result in results}) == 1
    assert seen[0] >= COUNT, "the first is started for its request"
    assert sorted(seen)[ROUNDS // 2] < COUNT / 2


async def test_nothing_is_learned_of_what_has_no_file(tmp_path: Path) -> None:
    """Neither of a component without one, nor of a file that nobody mapped."""
    for path in (None, tmp_path / "absent.cwasm"):
        usual = UsualPages(path)
        usual.begin()
        assert usual.is_learning
        for _ in range(4):
            usual.learn()
        assert not usual.is_learning
        assert usual.bytes == 0
        assert list(usual.fault_in(1, 1 << 30)) == []


def test_memories_are_found_in_the_list_of_mappings() -> None:
    """A memory is the writable stretch around a copy of the file, and ends where that does."""
    maps = """\
1000-2000 ---p 00000000 00:00 0
2000-4000 rw-p 00000000 00:00 0
4000-6000 rw-p 0047d000 fe:00 1                          /data/a b.cwasm
6000-7000 rw-p 00000000 00:00 0
7000-9000 ---p 00000000 00:00 0
9000-a000 rw-p 0047d000 fe:00 2                          /data/other.cwasm
a000-b000 r--p 00000000 fe:00 1                          /data/a b.cwasm
c000-d000 rw-p 0047d000 fe:00 1                          /data/a b.cwasm
"""
    found = read_regions(maps.splitlines(keepends=True), "/data/a b.cwasm")
    assert found == (Region(0x2000, 0x7000), Region(0xC000, 0xD000))


def test_what_half_of_the_guests_did_is_usual() -> None:
    """A page that one of four wrote is not, nor one that Wasmtime keeps for the next guest."""
    kept = bytes([WRITTEN]) * KEPT
    samples = [
        kept + bytes([WRITTEN, READ, 0, WRITTEN]),
        kept + bytes([WRITTEN, READ, READ, 0]),
        kept + bytes([WRITTEN, WRITTEN, READ]),
        kept + bytes([0, WRITTEN]),
    ]
    assert _usual(samples) == bytes(KEPT) + bytes([WRITTEN, WRITTEN, READ, 0])


def test_pages_are_asked_for_in_bounded_pieces() -> None:
    """Each piece is short, together they are all runs, and there are never too many."""
    most = PAGES_MAX[WRITTEN]
    usual = bytes([0, WRITTEN, WRITTEN, READ, 0]) + bytes([WRITTEN]) * (2 * most) + bytes([READ])
    runs = tuple(_runs(usual))
    assert runs[:2] == (Run(PAGE, 3 * PAGE, WRITTEN), Run(3 * PAGE, 4 * PAGE, READ))
    assert sum(run.bytes for run in runs if run.kind == WRITTEN) == most * PAGE
    assert runs[-1] == Run((len(usual) - 1) * PAGE, len(usual) * PAGE, READ)
    pieces = list(_pieces(runs))
    assert [run for piece in pieces for run in piece] == list(runs)
    assert max(sum(run.bytes for run in piece) for piece in pieces) < 2 * PAGES_AT_ONCE * PAGE
