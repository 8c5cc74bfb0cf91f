"""Guests started ahead of demand: there when wanted, within bounds, and never used twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config import load
from edge.model.event import Event
from edge.model.function import Provision, Settings
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.sandbox.component import ready
from edge.worker import Worker, open_worker
from tests import wat
from tests.components import EXIT, HELLO, HOST, SLEEP, component

PATIENCE_S = 10.0
Open = Callable[..., AbstractAsyncContextManager[Worker]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A worker with these settings."""

    @asynccontextmanager
    async def open_with(**settings: int) -> AsyncIterator[Worker]:
        overrides = {"data": tmp_path / "data", "build_timeout_s": 60, **settings}
        async with open_worker(load(overrides), 0) as worker:
            yield worker

    return open_with


async def until(condition: Callable[[], bool]) -> None:
    """Let the worker idle until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


async def invoke(worker: Worker, function: str = "f") -> Outcome:
    """One event."""
    return (await worker.invoker.invoke(Event(function, {}, "r"))).outcome


async def test_ready_guests_are_found(opened: Open) -> None:
    """After the first event others find a guest that waits, and each is replaced."""
    async with opened(ready_per_function_max=2) as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        assert await invoke(worker) is Outcome.OK
        await until(lambda: worker.sandbox.readiness("f").ready == 2)
        assert worker.sandbox.readiness("f").memory_bytes > 0
        for _ in range(5):
            await until(lambda: worker.sandbox.readiness("f").ready > 0)
            assert await invoke(worker) is Outcome.OK
        found = worker.sandbox.readiness("f")
        assert (found.hits, found.misses) == (5, 1)
        assert worker.sandbox.live == 0


async def test_the_bill_is_the_same(opened: Open) -> None:
    """A guest that waited costs what one that did not costs, its start included."""
    started = component(
        "",
        start="(local $i i32) (loop (br_if 0 (i32.lt_u"
        " (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))",
    )
    async with opened() as worker:
        await worker.deployer.deploy("f", started, Settings())
        first = await worker.invoker.invoke(Event("f", {}, "r"))
        await until(lambda: worker.sandbox.readiness("f").ready > 0)
        second = await worker.invoker.invoke(Event("f", {}, "r"))
        assert worker.sandbox.readiness("f").hits == 1
        assert first.usage.fuel == second.usage.fuel > 100_000


@pytest.mark.parametrize(
    "settings",
    [{"ready_max": 3}, {"ready_memory_mb": 1}, {"ready_memory_per_function_mb": 0}],
)
async def test_bounds_hold(opened: Open, settings: dict[str, int]) -> None:
    """In number and in memory, for each function and for all."""
    async with opened(**settings) as worker:
        for name in ("f", "g", "h"):
            await worker.deployer.deploy(name, HELLO, Settings())
            for _ in range(4):
                assert await invoke(worker, name) is Outcome.OK
        await asyncio.sleep(0.2)
        found = [worker.sandbox.readiness(name) for name in ("f", "g", "h")]
        assert sum(each.ready for each in found) <= settings.get("ready_max", 64)
        most = settings.get("ready_memory_mb", 128) << 20
        assert sum(each.memory_bytes for each in found) <= most
        if "ready_memory_per_function_mb" in settings:
            assert max(each.ready for each in found) == 0


async def test_none_are_kept_when_switched_off(opened: Open) -> None:
    """`ready_max` 0 is no pool."""
    async with opened(ready_max=0) as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        for _ in range(3):
            assert await invoke(worker) is Outcome.OK
            await asyncio.sleep(0.02)
        assert worker.sandbox.readiness("f") == (0, 0, 0, 0)


async def test_a_waiting_guest_gives_up_its_seat(opened: Open) -> None:
    """Events come first: with every seat taken, those that wait make room."""
    async with opened(ready_per_function_max=50) as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        for _ in range(20):
            await invoke(worker)
        await until(lambda: worker.sandbox.readiness("f").ready >= 10)
        taken = []
        while (seat := worker.sandbox._seats.take()) is not None:
            taken.append(seat)
        before = worker.sandbox.readiness("f").ready
        await worker.deployer.deploy("g", HELLO, Settings())
        assert await invoke(worker, "g") is Outcome.OK
        assert worker.sandbox.readiness("f").ready == before - 1
        for seat in taken:
            worker.sandbox._seats.give_back(seat)


UNFIT = {
    "waits": (
        component("", SLEEP, start="(call $block (call $subscribe (i64.const 1000000)))"),
        "ok",
    ),
    "exits": (component("", EXIT, start="(call $exit (i32.const 0))"), "guest_error"),
    "traps": (component("", start="unreachable"), "guest_trap"),
    "calls": (
        component(
            "",
            HOST,
            start="(call $call (i32.const 1024) (i32.const 14) (i32.const 512))",
        ),
        "ok",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_a_start_that_does_more_than_compute(opened: Open, name: str) -> None:
    """Is never made ahead: it happens in each event, with that event's session."""
    module, outcome = UNFIT[name]
    async with opened() as worker:
        await worker.deployer.deploy("f", module, Settings(limits=Limits(memory_mb=16)))
        for _ in range(3):
            assert await invoke(worker) == outcome
            await asyncio.sleep(0.02)
        assert worker.sandbox.readiness("f").ready == 0
        assert worker.sandbox.live == 0


async def test_a_new_version_gets_guests_of_its_own(opened: Open) -> None:
    """What waits for another environment is not handed out."""
    async with opened() as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        await invoke(worker)
        await until(lambda: worker.sandbox.readiness("f").ready > 0)
        await worker.deployer.configure("f", Settings(environment=(("A", "b"),)))
        assert await invoke(worker) is Outcome.OK
        assert worker.sandbox.readiness("f").hits == 0


def provision(worker: Worker, count: int) -> None:
    """Publish `f`, and have `count` of its version 1 stand ready; 0 for none."""
    worker.registry.publish("f")
    provisions = (Provision("1", count, 0),) if count else ()
    worker.registry.share("f", lambda shared: replace(shared, provisions=provisions))


async def test_what_is_provisioned_is_ready_before_the_first_event(opened: Open) -> None:
    """Beyond what demand would be given, within what all may have."""
    async with opened(ready_per_function_max=1, ready_max=6) as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        provision(worker, 5)
        await until(lambda: worker.sandbox.readiness("f").ready == 5)
        event = Event("f", {}, "r", qualifier="1")
        assert (await worker.invoker.invoke(event)).outcome is Outcome.OK
        assert worker.sandbox.readiness("f").hits == 1
        await until(lambda: worker.sandbox.readiness("f").ready == 5)
        provision(worker, 50)
        await until(lambda: worker.sandbox.readiness("f").ready == 6)
        assert worker.sandbox.live == 0


async def test_what_is_no_longer_provisioned_is_let_go(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once nobody says so any more, guests go as idle ones do."""
    monkeypatch.setattr(ready, "KEPT_S", -1.0)
    async with opened() as worker:
        await worker.deployer.deploy("f", HELLO, Settings())
        provision(worker, 3)
        worker.provisioning.keep()
        await until(lambda: worker.sandbox.readiness("f").ready == 1)
        provision(worker, 0)
        assert worker.registry.provisioned() == ()


async def test_a_core_module_that_is_provisioned_stays_mapped(opened: Open) -> None:
    """It has no guests to wait; what it can be spared is loading."""
    async with opened() as worker:
        await worker.deployer.deploy("f", wat.HELLO, Settings())
        provision(worker, 2)
        worker.provisioning.keep()
        assert worker.sandbox.modules.let_go_idle(60) == 0
        assert worker.sandbox.readiness("f").ready == 0
        assert worker.sandbox.modules.let_go_idle(-1) == 1
