"""Builds: bounded in time, memory and number, and clear about what went wrong."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config import HostSettings
from edge.model.errors import DeployTimeout, InitFailed, InvalidModule
from edge.model.function import Settings, SnapshotState
from edge.model.limits import Limits
from edge.sandbox.builder import Builder
from edge.sandbox.engine import plan_for_machine
from tests.toolchain import build_guest, build_hostile
from tests.wat import HELLO

FUEL_MAX = 100_000_000


def builder(tmp_path: Path, **host: int) -> Builder:
    """A builder with tight bounds."""
    settings = replace(HostSettings(), **host)  # type: ignore[arg-type]
    plan = plan_for_machine(64, 1024)
    return Builder(plan, tmp_path / "compiled", tmp_path / "tmp", settings, FUEL_MAX)


async def test_a_snapshot_is_built(tmp_path: Path) -> None:
    """A guest with an initialiser comes back as an image that holds its work."""
    built = await replace_fuel(builder(tmp_path)).build(
        build_guest("primes").read_bytes(), Settings()
    )
    assert built.report.snapshot.state is SnapshotState.TAKEN
    assert built.report.image_bytes > 4_000_000
    assert built.report.init_fuel > 1_000_000
    assert not list((tmp_path / "tmp").iterdir())


def replace_fuel(made: Builder) -> Builder:
    """The same builder with room for an expensive initialiser."""
    made._init_fuel = 10_000_000_000
    return made


async def test_an_endless_initialiser_runs_out_of_fuel(tmp_path: Path) -> None:
    """The deployer is told that the initialiser overran, not that something is broken."""
    with pytest.raises(InitFailed, match="edge_init"):
        await builder(tmp_path).build(build_hostile("init_loop"), Settings())


async def test_a_build_that_overruns_is_ended(tmp_path: Path) -> None:
    """Time is bounded whatever the build is doing, and no process is left."""
    made = replace_fuel(builder(tmp_path, build_timeout_s=1))
    made._init_fuel = 1 << 50
    with pytest.raises(DeployTimeout, match="1 s"):
        await made.build(build_hostile("init_loop"), Settings())


async def test_a_build_that_needs_too_much_memory_is_ended(tmp_path: Path) -> None:
    """Memory is bounded: the host does not go down with a module made to eat it."""
    made = builder(tmp_path, build_memory_mb=64)
    limits = Limits(memory_mb=512)
    with pytest.raises(InvalidModule):
        await made.build(build_hostile("init_grow"), Settings(limits=limits))


@pytest.mark.parametrize("module", [b"", b"\0asm", b"#!/bin/sh\n", b"\0asm\x0d\0\x01\0"])
async def test_what_is_no_module_is_refused(tmp_path: Path, module: bytes) -> None:
    """Anything can be uploaded; what is not a core module is named as such."""
    with pytest.raises(InvalidModule):
        await builder(tmp_path).build(module, Settings())


async def test_waiting_builds_are_bounded(tmp_path: Path) -> None:
    """A flood of deploys is refused beyond the queue, and the rest are built."""
    made = builder(tmp_path, builds_max=1, builds_waiting_max=2)
    tasks = [asyncio.create_task(made.build(HELLO, Settings())) for _ in range(6)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [result for result in results if isinstance(result, DeployTimeout)]
    assert len(refused) == 3
    assert all(not isinstance(result, BaseException) for result in results if result not in refused)


async def test_same_source_same_image(tmp_path: Path) -> None:
    """A build is reproducible: the image's digest depends on the module alone."""
    module = build_guest("hello").read_bytes()
    made = builder(tmp_path)
    first, second = [await made.build(module, Settings()) for _ in range(2)]
    assert first.report.image == second.report.image
