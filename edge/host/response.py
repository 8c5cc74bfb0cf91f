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

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edge.host.answers import CallError, Code, ok
from edge.host.arguments import Arguments
from edge.host.fields import check_field
from edge.host.flow import Flow, StreamLimits
from edge.model.limits import KIB
from edge.model.pipe import Pipe
from edge.model.stream import ResponseHead

if TYPE_CHECKING:
    from edge.host.calls import Later, Operation
    from edge.host.session import Session

HEADERS_MAX = 256
HEAD_BYTES_MAX = 32 * KIB
STATUS_MIN, STATUS_MAX = 200, 599

_TAKEN = ok(None)


class ResponseStream:
    """One answer on its way. `head` is None where the guest wrote bytes and said no more.

    Once it `is_over` it is the result's value, and nobody takes it any more.
    """

    __slots__ = ("_is_collected", "_limits", "flow", "head", "is_over", "is_taken")

    def __init__(
        self, head: ResponseHead | None, limits: StreamLimits, flow: Flow | None = None
    ) -> None:
        """`flow` is its body, where some of that was written before the head was said."""
        self._limits = limits
        self._is_collected = False
        self.flow = flow or Flow(limits)
        self.head = head
        self.is_taken = False
        self.is_over = False

    @property
    def pipe(self) -> Pipe:
        """The body's."""
        return self.flow.pipe

    # The taker's side

    def take(self) -> Pipe:
        """Send it on as it comes: the pipe to read it from."""
        self.is_taken = True
        self.pipe.widen(self._limits.buffer_bytes_max)
        return self.pipe

    def collect(self) -> None:
        """Keep all of it until the guest is over."""
        self._is_collected = True
        self.flow.bytes_max = self._limits.collected_bytes_max
        self.pipe.widen(sys.maxsize)  # nobody reads: what passes the flow's bound is refused

    def whole(self) -> object:
        """What was written, of a guest that is over: in Lambda's shape when it has a head, else as
        bytes. None where somebody sends it on: whoever took it, or will for its trailers' sake."""
        if self.is_taken or (self.pipe.trailers and not self._is_collected):
            return None
        self.is_over = True
        body = self.pipe.read()
        if self.head is None:
            return body
        return {**self.head.document(), "body": body, "isBase64Encoded": False}


Taker = Callable[[ResponseStream], None]
"""Is told of an answer when its head is there; on the event loop, and it does not wait."""


def open_stream(session: "Session", stream: ResponseStream) -> ResponseStream:
    """The session's stream from now on, shown to its taker if it has got one."""
    session.response = stream
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
        open_stream(session, ResponseStream(head, self._limits))
        return _TAKEN

    def _write(self, session: "Session", arguments: Arguments) -> "bytes | Later":
        data = arguments.data("data")
        if data is None:
            raise CallError(Code.INVALID_REQUEST, "data must be bytes or text")
        arguments.end()
        stream = session.response or open_stream(session, ResponseStream(None, self._limits))
        if not stream.flow.admit(len(data)):
            raise CallError(Code.TOO_LARGE, f"the response is over {stream.flow.bytes_max} bytes")
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
