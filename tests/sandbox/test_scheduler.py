"""Who runs when: slices, deadlines, the background thread, cancellation."""

import asyncio
import threading
import time

import pytest

from edge.config import SandboxSettings
from edge.host.calls import HostCalls
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.sandbox.scheduler import Scheduler
from edge.worker import Worker
from tests import wat


async def deploy(worker: Worker, name: str, module: bytes, **limits: int) -> None:
    """Deploy a hand-written guest."""
    await worker.deployer.deploy(name, module, Settings(limits=Limits(**limits)))


async def invoke(worker: Worker, name: str) -> Result:
    """One event for it."""
    return await worker.invoker.invoke(Event(name, {"n": 1}, "request"))


async def test_a_short_guest_ends_in_its_first_slice(worker: Worker) -> None:
    """A function that fits a slice is answered without the loop turning once."""
    await deploy(worker, "hello", wat.HELLO)
    await invoke(worker, "hello")
    coroutine = worker.invoker.invoke(Event("hello", {}, "request"))
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert done.value.value.value == "hello"


async def test_an_endless_loop_ends_at_its_deadline(worker: Worker) -> None:
    """The deadline ends a guest that computes, and the loop was free meanwhile."""
    await deploy(worker, "loop", wat.LOOP, timeout_ms=300)
    await deploy(worker, "hello", wat.HELLO)
    looping = asyncio.create_task(invoke(worker, "loop"))
    for _ in range(20):
        assert (await invoke(worker, "hello")).outcome is Outcome.OK
        await asyncio.sleep(0.005)
    assert (await looping).outcome in (Outcome.TIMEOUT, Outcome.CPU_EXCEEDED)
    assert worker.sandbox.live == 0


async def test_fuel_is_shared_fairly(worker: Worker) -> None:
    """Guests that compute for as long get as much, whatever order they came in."""
    await deploy(worker, "loop", wat.LOOP, timeout_ms=1_500)
    results = await asyncio.gather(*(invoke(worker, "loop") for _ in range(8)))
    burned = [result.usage.fuel for result in results]
    assert min(burned) / max(burned) >= 0.9


async def test_a_start_that_fuel_does_not_see_is_counted_by_its_time() -> None:
    """Who makes huge tables for each request has no more of the worker than others."""
    settings = SandboxSettings()
    scheduler = Scheduler(settings, HostCalls({}))
    scheduler.started("short", 1_000, 20_000)
    scheduler.started("huge", 1_000, 1_000_000)
    assert scheduler.accounts.of("short") == settings.start_fuel + 1_000
    assert scheduler.accounts.of("huge") == settings.fuel_per_ms
    scheduler.stop()


async def test_sleepers_hold_neither_loop_nor_thread(worker: Worker) -> None:
    """Guests that wait for time to pass wait together, on no thread of their own."""
    await deploy(worker, "sleeper", wat.sleeper(0.5))
    threads = threading.active_count()
    began = time.monotonic()
    results = await asyncio.gather(*(invoke(worker, "sleeper") for _ in range(100)))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert time.monotonic() - began < 50 * 0.5  # together, not one after another
    assert threading.active_count() == threads


async def test_a_sleep_past_the_deadline_is_a_timeout(worker: Worker) -> None:
    """Sleeping for an hour obeys the deadline."""
    await deploy(worker, "sleeper", wat.sleeper(3600), timeout_ms=200)
    assert (await invoke(worker, "sleeper")).outcome is Outcome.TIMEOUT
    assert worker.sandbox.live == 0


async def test_a_stalling_guest_goes_to_the_background(worker: Worker) -> None:
    """After its first stall a guest never again holds the loop, and its answer is on time."""
    await deploy(worker, "fill", wat.FILL, timeout_ms=300)
    await deploy(worker, "hello", wat.HELLO)
    for _ in range(2):
        filling = asyncio.create_task(invoke(worker, "fill"))
        await asyncio.sleep(0.1)
        assert (await invoke(worker, "hello")).outcome is Outcome.OK
        result = await filling
        assert result.outcome in (Outcome.TIMEOUT, Outcome.CPU_EXCEEDED)
    async with asyncio.timeout(10):
        while worker.sandbox.live:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("module", [wat.LOOP, wat.FILL, wat.sleeper(60)])
async def test_cancelling_ends_the_guest(worker: Worker, module: bytes) -> None:
    """A caller that goes away takes its guest with it, and the record says so."""
    await deploy(worker, "guest", module, timeout_ms=30_000)
    task = asyncio.create_task(invoke(worker, "guest"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while worker.sandbox.live:
            await asyncio.sleep(0.01)
    worker.ledger.rollup()
    assert [total.requests for total in worker.ledger.totals()] == [1]


async def test_fuel_is_the_same_each_time(worker: Worker) -> None:
    """Same input, same fuel, same bill: also across slices and host calls."""
    counted = wat.guest(
        "(local $n i32) (loop (local.set $n (i32.add (local.get $n) (i32.const 1)))"
        f" (br_if 0 (i32.lt_u (local.get $n) (i32.const 3000000)))) {wat.POINT}"
    )
    await deploy(worker, "counted", counted)
    results = await asyncio.gather(*(invoke(worker, "counted") for _ in range(5)))
    assert len({result.usage.fuel for result in results}) == 1
    assert results[0].usage.fuel > 3_000_000
