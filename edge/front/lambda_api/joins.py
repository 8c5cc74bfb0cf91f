"""A client's own retry of an invocation joins it, whichever worker of the host runs it.

AWS's SDKs send a timed-out, throttled or broken Invoke again, with the same
`amz-sdk-invocation-id` and a higher `attempt`; run again, it would do its work twice.

Neighbours: `invocations.py` runs through this what carries that header; `front/peers.py` asks the
other workers.
Invariants: an invocation that may be joined goes on when its client leaves, to its own deadline;
only the same call of the same caller joins it; a first attempt asks nobody.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from hashlib import sha256
from typing import Any, NamedTuple, cast

from edge.front.answers import Answer
from edge.model import cbor
from edge.model.limits import KIB

ID_CHARS_MAX = 128
_FORMAT = "edge join 1"
"""Changes with what workers tell each other: in an upgrade, two versions do not join."""
_ENTRY_BYTES = 1 * KIB
"""What an answer takes beside its body and its fields."""
_ATTEMPT = re.compile(r"attempt=(\d{1,4})(?!\d)")

Work = Callable[[], Coroutine[Any, Any, Answer]]
Ask = Callable[[bytes], Awaitable[bytes | None]]


class Call(NamedTuple):
    """What names a call and its retries, and whether this is one of those."""

    key: bytes
    is_retry: bool


class Joins:
    """The joinable invocations of a worker; the host's concurrency bounds them."""

    def __init__(self, ask: Ask, kept_s: int, kept_bytes_max: int) -> None:
        """`ask` is told a key and gives what `find` of another worker found."""
        self._ask = ask
        self._running: dict[bytes, asyncio.Task[Answer]] = {}
        self._kept = _Kept(kept_s, kept_bytes_max)

    async def run(self, call: Call, work: Work) -> Answer:
        """The answer of the call this is a retry of, else of `work`."""
        task = self._running.get(call.key)
        if task is None and call.is_retry:
            answer = self._kept.get(call.key) or await self._ask_others(call.key)
            if answer is not None:
                return answer
            task = self._running.get(call.key)
        if task is None:
            task = self._running[call.key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._end(call.key, done))
        return await asyncio.shield(task)

    def find(self, key: bytes) -> Awaitable[bytes] | None:
        """The answer, encoded, of a call that runs here or ended just now; None for another."""
        task = self._running.get(key)
        answer = self._kept.get(key)
        if task is None and answer is None:
            return None

        async def encoded() -> bytes:
            told = await asyncio.shield(task) if task is not None else answer
            assert told is not None
            return cbor.encode_own([told.status, told.headers, told.body])

        return encoded()

    async def _ask_others(self, key: bytes) -> Answer | None:
        told = await self._ask(key)
        if told is None:
            return None
        try:
            status, headers, body = cast(tuple[int, list[list[bytes]], bytes], cbor.decode(told))
        except ValueError:
            return None
        return Answer(status, [(name, value) for name, value in headers], body)

    def _end(self, key: bytes, done: "asyncio.Task[Answer]") -> None:
        del self._running[key]
        # An exception is looked at, for nobody may be left to be told.
        if not done.cancelled() and done.exception() is None:
            answer = done.result()
            if answer.status == 200:  # else it did not run, and a retry is to try again
                self._kept.put(key, answer)


class _Kept:
    """Answers that were given just now, for a retry that was on its way already."""

    def __init__(self, kept_s: int, bytes_max: int) -> None:
        self._kept_s = kept_s
        self._bytes_max = bytes_max
        self._bytes = 0
        self._answers: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def get(self, key: bytes) -> Answer | None:
        """An answer that is not too old."""
        until_s, answer = self._answers.get(key, (0.0, None))
        return answer if until_s > asyncio.get_running_loop().time() else None

    def put(self, key: bytes, answer: Answer) -> None:
        """Keep an answer, in place of those that are too old or too much."""
        now_s = asyncio.get_running_loop().time()
        self._remove(key)
        self._answers[key] = now_s + self._kept_s, answer
        self._bytes += _size(answer)
        while self._answers:
            oldest, (until_s, _) = next(iter(self._answers.items()))
            if until_s > now_s and self._bytes <= self._bytes_max:
                return
            self._remove(oldest)

    def _remove(self, key: bytes) -> None:
        _, answer = self._answers.pop(key, (0.0, None))
        if answer is not None:
            self._bytes -= _size(answer)


def _size(answer: Answer) -> int:
    fields = sum(len(name) + len(value) for name, value in answer.headers)
    return len(answer.body) + fields + _ENTRY_BYTES


def call_of(headers: Mapping[str, str], parts: tuple[str, ...], body: bytes) -> Call | None:
    """The call that a request is, of what it is made of; None where its client gave it no id."""
    invocation_id = headers.get("amz-sdk-invocation-id")
    if not invocation_id or len(invocation_id) > ID_CHARS_MAX:
        return None
    named = "\0".join((_FORMAT, invocation_id, *parts)).encode()
    attempt = _ATTEMPT.search(headers.get("amz-sdk-request", ""))
    is_retry = attempt is not None and int(attempt[1]) > 1
    return Call(sha256(sha256(named).digest() + sha256(body).digest()).digest(), is_retry)
