"""Running an invocation for as long as its client is there.

Neighbours: `data.py` and the Invoke API run invocations through this.
A function that ends without waiting costs no task: its coroutine is stepped once, by hand. Only
when it suspends does a task begin to listen for the client's leaving; then the invocation is
cancelled, as any await can be, and finds out within one slice.
"""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from edge.front.asgi import ClientGone, Receive

T = TypeVar("T")


async def run_while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """The result of `work`; raises ClientGone if the client leaves first.

    The request's body must have been read: what `receive` gives next is its leaving.
    """
    try:
        pending = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    task = asyncio.current_task()
    assert task is not None, "doors run inside the server's tasks"
    watch = _Watch(task)
    listener = asyncio.create_task(watch.listen(receive))
    try:
        return await resume(work, pending)
    except asyncio.CancelledError:
        if watch.gone and task.cancelling() == 1:
            raise ClientGone from None
        raise
    finally:
        listener.cancel()
        if watch.gone:
            task.uncancel()


class _Watch:
    """Cancels one task once when its client leaves."""

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self._task = task
        self.gone = False

    async def listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._task.cancel()


@coroutine
def resume(work: Coroutine[Any, Any, T], pending: object) -> Generator[object, Any, T]:
    """Go on with a coroutine that was stepped before, from what it then waited for."""
    try:
        while True:
            try:
                sent = yield pending
            except BaseException as error:  # the coroutine handles it
                pending = work.throw(error)
            else:
                pending = work.send(sent)
    except StopIteration as done:
        result: T = done.value
        return result
