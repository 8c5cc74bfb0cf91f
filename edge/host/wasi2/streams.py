"""`wasi:io/streams`: reading and writing, at once or when the other side is ready.

Neighbours: `io.py` has the streams' classes; the sandbox awaits what comes back as a coroutine.
Invariant: one call moves at most `READ_BYTES_MAX` or `WRITE_BYTES_MAX` bytes, and nobody writes
more than `check-write` allowed but once.
"""

from collections.abc import Coroutine
from functools import wraps
from typing import Any

from edge.host.charges import FUEL_PER_BYTE
from edge.host.wasi2.context import Context, Function, Functions, Misuse, on_loop
from edge.host.wasi2.io import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    InputStream,
    IoError,
    OutputStream,
    Pollable,
    Stream,
)
from edge.host.wasi2.results import Err


class StreamPollable(Pollable):
    """Ready when its stream is."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def ready(self) -> bool:
        """Whether something can be done with the stream."""
        return self._stream.ready()

    async def wait(self) -> None:
        """Until something may be."""
        await self._stream.wait()


def _live(function: Function) -> Function:
    """`function`, run on the event loop where a stream is live and its guest is not there."""

    @wraps(function)
    def run(context: Context, *arguments: Any) -> Any:
        if context.off_loop and any(getattr(each, "IS_LIVE", False) for each in arguments):
            return on_loop(function, context, *arguments)
        return function(context, *arguments)

    return run


def read(context: Context, stream: InputStream, length: int) -> bytes | Err:
    """What there is, at most `length`; `closed` at the end."""
    if not length:
        return b""
    data = stream.read(min(length, READ_BYTES_MAX))
    context.session.charge(FUEL_PER_BYTE * len(data))
    return data or stream.end() or b""


def blocking_read(
    context: Context, stream: InputStream, length: int
) -> bytes | Err | Coroutine[Any, Any, bytes | Err]:
    """The same, when there is something."""
    if stream.ready():
        return read(context, stream, length)
    return _when_ready(stream, read, context, stream, length)


def skip(context: Context, stream: InputStream, length: int) -> int | Err:
    """Like read, the bytes thrown away."""
    data = read(context, stream, length)
    return data if isinstance(data, Err) else len(data)


def blocking_skip(
    context: Context, stream: InputStream, length: int
) -> int | Err | Coroutine[Any, Any, int | Err]:
    """The same, when there is something."""
    if stream.ready():
        return skip(context, stream, length)
    return _when_ready(stream, skip, context, stream, length)


async def _when_ready(stream: Stream, function: Function, *arguments: Any) -> Any:
    while not stream.ready():
        await stream.wait()
    return function(*arguments)


def subscribe(context: Context, stream: Stream) -> Pollable:
    """Wait until something can be done with it."""
    return StreamPollable(stream)


def check_write(context: Context, stream: OutputStream) -> int | Err:
    """How much the next write may bring."""
    return stream.end() or min(stream.PERMIT_BYTES, stream.room_bytes())


def write(context: Context, stream: OutputStream, data: bytes) -> Err | None:
    """Take the bytes."""
    ended = stream.end()
    if ended is not None:
        return ended
    if data and not stream.room_bytes():
        raise Misuse("more was written than check-write allowed")
    context.session.charge(FUEL_PER_BYTE * len(data))
    code = stream.write(data)
    return None if code is None else Err(("last-operation-failed", IoError(code)))


def blocking_write(
    context: Context, stream: OutputStream, data: bytes
) -> Err | Coroutine[Any, Any, Err | None] | None:
    """Take the bytes, when there is room for all of them."""
    if len(data) <= stream.room_bytes():
        return write(context, stream, data)
    return _write_all(context, stream, data)


async def _write_all(context: Context, stream: OutputStream, data: bytes) -> Err | None:
    at = 0
    while at < len(data):
        while not stream.ready():
            await stream.wait()
        room = max(1, stream.room_bytes())
        failed = write(context, stream, data[at : at + room])
        if failed is not None:
            return failed
        at += room
    return None


def write_zeroes(context: Context, stream: OutputStream, length: int) -> Err | None:
    """Take so many zeros."""
    _check_zeroes(length)
    return write(context, stream, bytes(length))


def blocking_write_zeroes(
    context: Context, stream: OutputStream, length: int
) -> Err | Coroutine[Any, Any, Err | None] | None:
    """Take so many zeros, when there is room for all of them."""
    _check_zeroes(length)
    return blocking_write(context, stream, bytes(length))


def _check_zeroes(length: int) -> None:
    if length > WRITE_BYTES_MAX:
        raise Misuse("more zeros than check-write allowed")


def flush(context: Context, stream: OutputStream) -> Err | None:
    """Nothing is held back: what was written is on its way."""
    return stream.end()


def splice(context: Context, stream: OutputStream, source: InputStream, length: int) -> int | Err:
    """Move bytes from one stream to the other, as many as there is room for."""
    room = check_write(context, stream)
    if isinstance(room, Err) or not room:
        return room
    data = read(context, source, min(length, room))
    if isinstance(data, Err):
        return data
    return write(context, stream, data) or len(data)


def blocking_splice(
    context: Context, stream: OutputStream, source: InputStream, length: int
) -> int | Err | Coroutine[Any, Any, int | Err]:
    """The same, when there is something and room for it."""
    if stream.ready() and source.ready():
        return splice(context, stream, source, length)
    return _splice_later(context, stream, source, length)


async def _splice_later(
    context: Context, stream: OutputStream, source: InputStream, length: int
) -> int | Err:
    while not stream.ready():
        await stream.wait()
    while not source.ready():
        await source.wait()
    return splice(context, stream, source, length)


STREAMS: Functions = {
    "[method]input-stream.read": _live(read),
    "[method]input-stream.blocking-read": _live(blocking_read),
    "[method]input-stream.skip": _live(skip),
    "[method]input-stream.blocking-skip": _live(blocking_skip),
    "[method]input-stream.subscribe": subscribe,
    "[method]output-stream.check-write": check_write,
    "[method]output-stream.write": _live(write),
    "[method]output-stream.blocking-write-and-flush": _live(blocking_write),
    "[method]output-stream.flush": flush,
    "[method]output-stream.blocking-flush": flush,
    "[method]output-stream.subscribe": subscribe,
    "[method]output-stream.write-zeroes": _live(write_zeroes),
    "[method]output-stream.blocking-write-zeroes-and-flush": _live(blocking_write_zeroes),
    "[method]output-stream.splice": _live(splice),
    "[method]output-stream.blocking-splice": _live(blocking_splice),
}
