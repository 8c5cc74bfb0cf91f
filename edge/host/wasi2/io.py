"""`wasi:io`: what a guest waits for, and what streams are.

Most streams hold what they have, or take what they are given, at once. Those of HTTP bodies are
live: a guest waits for the other side of them, as it does for clocks and for responses, and waiting
is a coroutine on the loop that holds nothing else.

Neighbours: every other file of this room makes pollables or streams, `http_bodies.py` live ones;
`streams.py` has what is done with them.
Invariant: one read or write moves at most `READ_BYTES_MAX` or `WRITE_BYTES_MAX` bytes, since a
byte of a list is 32 on its way and the loop waits for all of it.
"""

import asyncio
from collections.abc import Coroutine
from time import monotonic_ns
from typing import Any, ClassVar

from edge.host.log import LogBuffer
from edge.host.wasi2.context import Context, Functions, Misuse, Resource
from edge.host.wasi2.results import Err
from edge.model.limits import KIB

READ_BYTES_MAX = 16 * KIB
WRITE_BYTES_MAX = 4 * KIB
POLLABLES_MAX = 256
LOG_BYTES_MAX = 64 * KIB
"""In one write to the log: an unbuffered `print` in Python drops what one write does not take."""
FUEL_PER_POLLABLE = 5_000
SLEEP_S_MAX = 3_600
"""At a time; no guest lives so long."""
CLOSED = Err(("closed", None))


class Pollable(Resource):
    """Something that becomes ready. This one is, always."""

    __slots__ = ()
    KIND = "pollable"

    def ready(self) -> bool:
        """Whether it is ready now."""
        return True

    async def wait(self) -> None:
        """Return when it may be ready."""


class Timer(Pollable):
    """Ready from `due_ns` on, by `time.monotonic_ns()`."""

    __slots__ = ("due_ns",)

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns

    def ready(self) -> bool:
        """Whether its time has come."""
        return monotonic_ns() >= self.due_ns

    async def wait(self) -> None:
        """Sleep until then."""
        delay_s = max(0, self.due_ns - monotonic_ns()) / 1e9
        await asyncio.sleep(min(delay_s, SLEEP_S_MAX))


class IoError(Resource):
    """Why an operation on a stream failed; `code` is the file system's name for it, or "", and
    `http` HTTP's, or None."""

    __slots__ = ("code", "http")
    KIND = "error"

    def __init__(self, code: str, http: tuple[str, object] | None = None) -> None:
        self.code = code
        self.http = http


class Stream(Resource):
    """Either kind. One that `IS_LIVE` is touched on the event loop only."""

    __slots__ = ()
    IS_LIVE: ClassVar[bool] = False

    def ready(self) -> bool:
        """Whether something can be done with it now."""
        return True

    async def wait(self) -> None:
        """Return when something may be."""


class InputStream(Stream):
    """Bytes that are there already."""

    __slots__ = ("_data", "_position")
    KIND = "input-stream"

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self._position = 0

    def read(self, length: int) -> bytes:
        """At most `length` bytes; none when there are none now."""
        data = self._data[self._position : self._position + length]
        self._position += len(data)
        return data

    def end(self) -> Err | None:
        """Why there is nothing to read; None while there may yet be."""
        return CLOSED


class OutputStream(Stream):
    """Takes bytes at once."""

    __slots__ = ()
    KIND = "output-stream"
    PERMIT_BYTES: ClassVar[int] = WRITE_BYTES_MAX

    def room_bytes(self) -> int:
        """How much may be written now."""
        return self.PERMIT_BYTES

    def end(self) -> Err | None:
        """Why nothing can be written any more; None while something can."""
        return None

    def write(self, data: bytes) -> str | None:
        """Take them; the code of why not."""
        raise NotImplementedError


class LogOutput(OutputStream):
    """Standard output or error: the function's log."""

    __slots__ = ("_level", "_log")
    PERMIT_BYTES = LOG_BYTES_MAX

    def __init__(self, log: LogBuffer, level: int) -> None:
        self._log = log
        self._level = level

    def write(self, data: bytes) -> str | None:
        """Add to the log, which cuts itself."""
        self._log.write(self._level, data)
        return None


# wasi:io/poll


def ready(context: Context, pollable: Pollable) -> bool:
    """Whether it is ready."""
    return pollable.ready()


def block(context: Context, pollable: Pollable) -> Coroutine[Any, Any, None] | None:
    """Wait until it is ready."""
    return None if pollable.ready() else _until(pollable)


async def _until(pollable: Pollable) -> None:
    while not pollable.ready():
        await pollable.wait()


def poll(context: Context, pollables: list[Pollable]) -> list[int] | Coroutine[Any, Any, list[int]]:
    """Wait for any of them; the places of those that are ready."""
    if not 1 <= len(pollables) <= POLLABLES_MAX:
        raise Misuse(f"poll takes 1 to {POLLABLES_MAX} pollables, not {len(pollables)}")
    context.session.charge(FUEL_PER_POLLABLE * len(pollables))
    return _ready(pollables) or _any(pollables)


def _ready(pollables: list[Pollable]) -> list[int]:
    return [place for place, pollable in enumerate(pollables) if pollable.ready()]


async def _any(pollables: list[Pollable]) -> list[int]:
    while not (places := _ready(pollables)):
        timers = [pollable for pollable in pollables if isinstance(pollable, Timer)]
        first = min(timers, key=lambda timer: timer.due_ns, default=None)
        waits = [pollable for pollable in pollables if not isinstance(pollable, Timer)]
        if first is not None:
            waits.append(first)
        if len(waits) == 1:
            await waits[0].wait()
            continue
        tasks = [asyncio.ensure_future(pollable.wait()) for pollable in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
    return places


POLL: Functions = {"[method]pollable.ready": ready, "[method]pollable.block": block, "poll": poll}


# wasi:io/error


def to_debug_string(context: Context, error: IoError) -> str:
    """Words for a log."""
    return error.code or "the operation failed"


ERROR: Functions = {"[method]error.to-debug-string": to_debug_string}
