"""The answer that a guest writes piece by piece: `response.start` and `response.write`.

A guest writes into a pipe of a few kilobytes. What becomes of it is said by a taker: a door that
sends it on as it comes, or `ResponseStream.collect`, for callers that want the answer whole. Until
the invocation has got one (in its first slice) the guest may write what the pipe holds, and then
waits.

Neighbours: `calls.py` dispatches here; `invoke/` sets the taker, and closes the stream when the
guest is over; the sandbox reads what was collected.
Invariant: no more than the pipe's bound waits for a client that reads slowly, and the guest that
waits for it holds nothing but its memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.host.answers import CallError, Code, ok
from edge.host.arguments import Arguments
from edge.host.fields import check_field
from edge.model.limits import KIB, MIB
from edge.model.pipe import Pipe
from edge.model.stream import ResponseHead

if TYPE_CHECKING:
    from edge.host.calls import Later, Operation
    from edge.host.session import Session

HEADERS_MAX = 256
HEAD_BYTES_MAX = 32 * KIB
STATUS_MIN, STATUS_MAX = 200, 599

_TAKEN = ok(None)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bytes of one answer: that wait to be sent, that are streamed, that are collected."""

    buffer_bytes_max: int = 64 * KIB
    stream_bytes_max: int = 20 * MIB
    collected_bytes_max: int = 6 * MIB


class ResponseStream:
    """One answer on its way. `head` is None where the guest wrote bytes and said nothing of them.

    `bytes_max` bounds all of it; `overflow_bytes` is what it would have been once it passed that.
    """

    __slots__ = ("_limits", "bytes_max", "head", "is_taken", "overflow_bytes", "pipe")

    def __init__(self, head: ResponseHead | None, limits: StreamLimits) -> None:
        self._limits = limits
        self.head = head
        self.pipe = Pipe(min(limits.buffer_bytes_max, limits.collected_bytes_max))
        self.bytes_max = limits.stream_bytes_max
        self.is_taken = False
        self.overflow_bytes = 0

    # The taker's side

    def take(self) -> Pipe:
        """Send it on as it comes: the pipe to read it from."""
        self.is_taken = True
        self.pipe.widen(self._limits.buffer_bytes_max)
        return self.pipe

    def collect(self) -> None:
        """Keep all of it until the guest is over."""
        self.bytes_max = self._limits.collected_bytes_max
        self.pipe.widen(self.bytes_max)

    def collected(self) -> object:
        """What was written, in Lambda's shape when it has a head, else as bytes."""
        body = self.pipe.read()
        if self.head is None:
            return body
        return {**self.head.document(), "body": body, "isBase64Encoded": False}

    # The guest's side

    def admit(self, size: int) -> bool:
        """Whether the answer may have so many bytes more; once it may not, it has failed."""
        if self.pipe.written_bytes + size > self.bytes_max:
            self.overflow_bytes = self.pipe.written_bytes + size
        return not self.overflow_bytes


Taker = Callable[[ResponseStream], None]
"""Is told of an answer when its head is there; on the event loop, and it does not wait."""


def open_stream(
    session: "Session", head: ResponseHead | None, limits: StreamLimits
) -> ResponseStream:
    """The session's stream from now on, shown to its taker if it has got one."""
    stream = session.response = ResponseStream(head, limits)
    if session.taker is not None:
        session.taker(stream)
    return stream


class ResponseCalls:
    """`response.start` and `response.write`, as `docs/abi.md` has them."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits

    @property
    def operations(self) -> "Mapping[str, Operation]":
        """By name, for `HostCalls`."""
        return {"response.start": self._start, "response.write": self._write}

    def _start(self, session: "Session", arguments: Arguments) -> bytes:
        head = _read_head(arguments)
        if session.response is not None:
            raise CallError(Code.INVALID_REQUEST, "the response has begun: its head was sent")
        open_stream(session, head, self._limits)
        return _TAKEN

    def _write(self, session: "Session", arguments: Arguments) -> "bytes | Later":
        data = arguments.data("data")
        if data is None:
            raise CallError(Code.INVALID_REQUEST, "data must be bytes or text")
        arguments.end()
        stream = session.response or open_stream(session, None, self._limits)
        if not stream.admit(len(data)):
            raise CallError(Code.TOO_LARGE, f"the response is over {stream.bytes_max} bytes")
        pipe = stream.pipe
        if len(data) <= pipe.room_bytes:
            pipe.write(data)
            return _TAKEN

        async def write() -> bytes:
            await pipe.write_all(data)
            return _TAKEN

        return write


def _read_head(arguments: Arguments) -> ResponseHead:
    status = arguments.integer("statusCode", minimum=STATUS_MIN, maximum=STATUS_MAX)
    headers = tuple((name.lower(), text) for name, text in arguments.texts("headers").items())
    cookies = tuple(arguments.list_of_texts("cookies"))
    arguments.end()
    if len(headers) + len(cookies) > HEADERS_MAX:
        raise CallError(Code.TOO_LARGE, f"there are more than {HEADERS_MAX} headers")
    fields = (*headers, *(("set-cookie", cookie) for cookie in cookies))
    if sum(len(name) + len(value) for name, value in fields) > HEAD_BYTES_MAX:
        raise CallError(Code.TOO_LARGE, f"the headers are over {HEAD_BYTES_MAX} bytes")
    for name, value in fields:
        check_field(name, value)
    return ResponseHead(200 if status is None else status, headers, cookies)
