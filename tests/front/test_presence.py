"""An invocation runs while its client is there, and no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from edge.front.asgi import ClientGone, Message
from edge.front.presence import run_while_connected


async def never() -> Message:
    """A client that stays."""
    await asyncio.Future()
    raise AssertionError


def leaving(when: "asyncio.Future[None]") -> Callable[[], Awaitable[Message]]:
    """A client that leaves when told to."""

    async def receive() -> Message:
        await when
        return {"type": "http.disconnect"}

    return receive


async def test_what_does_not_wait_makes_no_task() -> None:
    """The hot path: no listener, no new task, the very same coroutine to its end."""
    tasks_before = asyncio.all_tasks()

    async def work() -> int:
        assert asyncio.all_tasks() == tasks_before
        return 7

    async def unused() -> Message:
        raise AssertionError("nobody listens")

    assert await run_while_connected(work(), unused) == 7


async def test_what_waits_goes_on_in_the_same_task() -> None:
    """Results, several awaits, bare yields and asyncio's own timeouts all work as usual."""

    async def work() -> str:
        task = asyncio.current_task()
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.Future()
        assert asyncio.current_task() is task
        return "done"

    assert await run_while_connected(work(), never) == "done"


async def test_its_exceptions_are_its_callers() -> None:
    """Before and after the first wait."""

    async def at_once() -> None:
        raise LookupError

    async def later() -> None:
        await asyncio.sleep(0)
        raise LookupError

    for work in (at_once, later):
        with pytest.raises(LookupError):
            await run_while_connected(work(), never)


async def test_the_client_leaving_cancels_it() -> None:
    """The work is cancelled, cleans up, and the server's own task is not left cancelled."""
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ended: list[str] = []

    async def work() -> None:
        left.set_result(None)
        try:
            await asyncio.Future()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    with pytest.raises(ClientGone):
        await run_while_connected(work(), leaving(left))
    assert ended == ["cleaned up"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_result_in_spite_of_it_is_still_a_result() -> None:
    """Work that finishes although its client left is not broken by it."""
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> int:
        left.set_result(None)
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            return 3
        return 4

    assert await run_while_connected(work(), leaving(left)) == 3
    await asyncio.sleep(0)


async def test_the_servers_cancellation_passes_through() -> None:
    """A server that stops is not mistaken for a client that left."""

    async def work() -> None:
        await asyncio.Future()

    task = asyncio.create_task(_ignoring_type(run_while_connected(work(), never)))
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_listener_ends_with_the_work() -> None:
    """No task is left behind on a kept-alive connection."""

    async def work() -> None:
        await asyncio.sleep(0)

    before = asyncio.all_tasks()
    await run_while_connected(work(), never)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def _ignoring_type(work: Awaitable[Any]) -> Any:
    return await work
