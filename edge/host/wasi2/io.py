"""`wasi:io`: what a guest waits for, and the streams it reads and writes.

Every stream here holds what it has, or takes what it is given, at once; so only clocks and HTTP
responses make a guest wait, and waiting is a coroutine on the loop that holds nothing else.

Neighbours: every other file of this room makes pollables or streams.
Invariant: one read or write moves at most `READ_BYTES_MAX` or `WRITE_BYTES_MAX` bytes, since a
byte of a list is 32 on its way and the loop waits for all of it.
"""

import asyncio
from collections.abc import Coroutine
from time import monotonic_ns
from typing import Any, ClassVar

from edge.host.charges import FUEL_PER_BYTE
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
    """Why an operation on a stream failed; `code` is the file system's name for it, or ""."""

    __slots__ = ("code",)
    KIND = "error"

    def __init__(self, code: str) -> None:
        self.code = code


class InputStream(Resource):
    """Bytes that are there already."""

    __slots__ = ("_data", "_owner", "_position")
    KIND = "input-stream"

    def __init__(self, data: bytes = b"", owner: object = None) -> None:
        self._data = data
        self._owner = owner  # lives as long as its bytes are read
        self._position = 0

    def read(self, length: int) -> bytes:
        """At most `length` bytes; none at the end."""
        data = self._data[self._position : self._position + length]
        self._position += len(data)
        return data


class OutputStream(Resource):
    """Takes bytes at once."""

    __slots__ = ()
    KIND = "output-stream"
    PERMIT_BYTES: ClassVar[int] = WRITE_BYTES_MAX

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


# wasi:io/streams


def read(context: Context, stream: InputStream, length: int) -> bytes | Err:
    """What there is, at most `length`; `closed` at the end."""
    if not length:
        return b""
    data = stream.read(min(length, READ_BYTES_MAX))
    context.session.charge(FUEL_PER_BYTE * len(data))
    return data or CLOSED


def skip(context: Context, stream: InputStream, length: int) -> int | Err:
    """Like read, the bytes thrown away."""
    data = read(context, stream, length)
    return data if isinstance(data, Err) else len(data)


def subscribe(context: Context, stream: InputStream | OutputStream) -> Pollable:
    """Streams are always ready."""
    return Pollable()


def check_write(context: Context, stream: OutputStream) -> int:
    """How much the next write may bring."""
    return stream.PERMIT_BYTES


def write(context: Context, stream: OutputStream, data: bytes) -> Err | None:
    """Take the bytes."""
    context.session.charge(FUEL_PER_BYTE * len(data))
    code = stream.write(data)
    return None if code is None else Err(("last-operation-failed", IoError(code)))


def write_zeroes(context: Context, stream: OutputStream, length: int) -> Err | None:
    """Take so many zeros."""
    if length > WRITE_BYTES_MAX:
        raise Misuse("more zeros than check-write allowed")
    return write(context, stream, bytes(length))


def flush(context: Context, stream: OutputStream) -> None:
    """Nothing is held back."""


def splice(context: Context, stream: OutputStream, source: InputStream, length: int) -> int | Err:
    """Move bytes from one stream to the other."""
    data = read(context, source, min(length, WRITE_BYTES_MAX))
    if isinstance(data, Err):
        return data
    return write(context, stream, data) or len(data)


STREAMS: Functions = {
    "[method]input-stream.read": read,
    "[method]input-stream.blocking-read": read,
    "[method]input-stream.skip": skip,
    "[method]input-stream.blocking-skip": skip,
    "[method]input-stream.subscribe": subscribe,
    "[method]output-stream.check-write": check_write,
    "[method]output-stream.write": write,
    "[method]output-stream.blocking-write-and-flush": write,
    "[method]output-stream.flush": flush,
    "[method]output-stream.blocking-flush": flush,
    "[method]output-stream.subscribe": subscribe,
    "[method]output-stream.write-zeroes": write_zeroes,
    "[method]output-stream.blocking-write-zeroes-and-flush": write_zeroes,
    "[method]output-stream.splice": splice,
    "[method]output-stream.blocking-splice": splice,
}
