"""A client's own retry of an invocation that is still running joins it.

AWS's SDKs send a timed-out, throttled or broken Invoke again, with the same
`amz-sdk-invocation-id`; run again, it would do its work twice.

Neighbours: `invocations.py` runs through this what carries that header.
Invariant: an invocation that may be joined goes on when its client leaves, to its own deadline;
only the same call (id, function, qualifier, payload) on the same worker joins it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any

from edge.model.event import Event
from edge.model.result import Result

ID_CHARS_MAX = 128

Key = tuple[str, str, str, bytes]


class Joins:
    """The joinable invocations of a worker; the host's concurrency bounds them."""

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Task[Result]] = {}

    async def run(
        self, key: Key, event: Event, invoke: Callable[[Event], Coroutine[Any, Any, Result]]
    ) -> Result:
        """The result of the running call of this key, or of a new one."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(invoke(event))
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: Key, done: "asyncio.Task[Result]") -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # looked at, for nobody may be left to be told


def join_key(invocation_id: str | None, event: Event, body: bytes) -> Key | None:
    """What names a call and its retries; None for a client that gives no id of its own."""
    if not invocation_id or len(invocation_id) > ID_CHARS_MAX:
        return None
    return invocation_id, event.function, event.qualifier, sha256(body).digest()
