"""One connection of the door: messages in their order, each answered once.

A message is dispatched when it is whole. Its invocation's first slice runs right here; if that was
all, head and body leave in one write, and nothing was awaited. Else a task has the rest, and what
the peer pipelines meanwhile waits.

Neighbours: `server.py` makes connections; `message.py` checks; `invoke/` runs.
Invariant: at most one invocation of a connection is running; after a refusal nothing is read.
"""

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, cast

import httptools

from edge.front.answers import Answer, error_answer, framed
from edge.front.documents import json_bytes
from edge.front.door.message import Message, Refusal
from edge.front.door.writing import response
from edge.front.event import http_event
from edge.front.failures import platform_error
from edge.front.presence import resume
from edge.front.results import answer_result
from edge.front.target import parse_target
from edge.model.errors import EdgeError
from edge.model.function import GuestKind
from edge.model.ids import new_request_id

if TYPE_CHECKING:
    from edge.front.door.server import Door

_PREFACE = b"PRI "
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD = "HEAD"


class Ready:
    """A whole message that waits for its turn."""

    __slots__ = ("keep_alive", "message", "method")

    def __init__(self, message: Message, method: str, keep_alive: bool) -> None:
        self.message = message
        self.method = method
        self.keep_alive = keep_alive


class Connection(asyncio.Protocol):
    """The protocol of one peer. Lives until the peer or the door closes it."""

    __slots__ = (
        "_door",
        "_message",
        "_parser",
        "_peer",
        "_queue",
        "_refusal",
        "_requests",
        "_task",
        "_transport",
        "_writable",
        "closing_since_s",
        "quiet_since_s",
        "stuck_since_s",
    )

    def __init__(self, door: "Door") -> None:
        self._door = door
        self._parser = httptools.HttpRequestParser(self)
        self._message: Message | None = None
        self._queue: deque[Ready] = deque()
        self._refusal: Refusal | EdgeError | None = None
        self._requests = 0
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._peer = ""
        self.quiet_since_s = door.now_s
        self.stuck_since_s = 0.0
        self.closing_since_s = 0.0

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there; one too many is sent away."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        if not self._door.enter(self):
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """The peer is gone, and with it the guest it waited for."""
        self._door.leave(self)
        self._transport = None
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> None:
        """The peer will send no more. To an HTTP server that is a peer that left: what was written
        is flushed, what runs is canceled."""

    def pause_writing(self) -> None:
        """The peer does not read: nothing more is begun for it."""
        self._writable = False
        self.stuck_since_s = self._door.now_s

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._writable = True
        self.stuck_since_s = 0.0
        self._next()

    def data_received(self, data: bytes) -> None:
        """Bytes of messages, split anywhere."""
        if self.closing_since_s or self._refusal is not None:
            return  # read and thrown away, so that the peer can read the refusal
        if not self._requests and self._message is None and data[:4] == _PREFACE:
            self._hand_over(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end_upgrade()
        except httptools.HttpParserError as error:
            cause = error.__context__ or error.__cause__
            self._refusal = cause if isinstance(cause, Refusal | EdgeError) else _MALFORMED
        self._next()
        if self._queue and self._transport is not None and not self.closing_since_s:
            self._transport.pause_reading()

    # What the parser tells

    def on_message_begin(self) -> None:
        """The first byte of a message."""
        self._message = Message(self._door.limits, self._door.now_s)

    def on_url(self, piece: bytes) -> None:
        """A piece of the target."""
        self._current().add_target(piece)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field."""
        self._current().add_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole. A message that has a body is checked before that is read."""
        message = self._current()
        message.end_head(self._parser.get_http_version())
        if not message.has_body:
            return
        target = parse_target(message.request("", "").raw_path)
        self._door.services.registry.resolve(target.function, target.qualifier)
        if message.expects_continue and not self._queue and self._task is None:
            self._write(_CONTINUE)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body, out of its chunks."""
        self._current().add_body(piece)

    def on_message_complete(self) -> None:
        """The message is whole."""
        message = self._current()
        method = self._parser.get_method().decode("ascii")
        self._requests += 1
        keep_alive = (
            self._parser.should_keep_alive() and self._requests < self._door.limits.requests_max
        )
        self._queue.append(Ready(message, method, keep_alive))
        self._message = None

    def _current(self) -> Message:
        assert self._message is not None, "the parser begins each message"
        return self._message

    # Answering

    def _next(self) -> None:
        """Begin what waits, as long as each ends at once and the peer reads."""
        while self._queue and self._task is None and self._writable and not self.closing_since_s:
            self._begin(self._queue.popleft())
        if self._refusal is not None and self._task is None and not self._queue:
            self._refuse(self._refusal)
        elif not self._queue and self._transport is not None:
            self.quiet_since_s = self._door.now_s
            if not self._transport.is_reading() and not self._transport.is_closing():
                self._transport.resume_reading()

    def _begin(self, ready: Ready) -> None:
        services = self._door.services
        request = ready.message.request(ready.method, self._peer)
        request_id = new_request_id()
        try:
            target = parse_target(request.raw_path)
            version = services.registry.resolve(target.function, target.qualifier)
            body = b"".join(ready.message.body)
            time_ms = time.time_ns() // 1_000_000
            event = http_event(request, target, body, request_id, time_ms)
            work = services.invoker.invoke(event)
            pending = work.send(None)
        except StopIteration as done:
            kind = version.artifact.kind
            self._answer(ready, answer_result(done.value, kind, services.logs), request_id)
        except Exception as error:
            answer = error_answer(platform_error(error, request_id), request_id)
            self._answer(ready, answer, request_id)
        else:
            rest = self._finish(ready, resume(work, pending), version.artifact.kind, request_id)
            self._task = self._door.loop.create_task(rest)

    async def _finish(self, ready: Ready, work: object, kind: GuestKind, request_id: str) -> None:
        """Await what did not end at once; the connection's loss cancels this, and so the guest."""
        try:
            result = await work  # type: ignore[misc]
            answer = answer_result(result, kind, self._door.services.logs)
        except Exception as error:
            answer = error_answer(platform_error(error, request_id), request_id)
        self._task = None
        self._answer(ready, answer, request_id)
        self._next()

    def _answer(self, ready: Ready, answer: Answer, request_id: str) -> None:
        close = not ready.keep_alive or self._door.stopping
        clock, head_only = self._door.clock, ready.method == _HEAD
        try:
            data = response(answer, clock, head_only=head_only, close=close)
        except ValueError as error:
            answer = error_answer(platform_error(error, request_id), request_id)
            data = response(answer, clock, head_only=head_only, close=close)
        self._write(data)
        if close:
            self._close()

    def _refuse(self, refusal: Refusal | EdgeError) -> None:
        """Answer what is not taken, once, and close: what follows cannot be told apart. What came
        before it has been answered by now."""
        if self.closing_since_s:
            return
        if isinstance(refusal, EdgeError):
            answer = error_answer(refusal, new_request_id())
        else:
            request_id = new_request_id()
            error = {
                "code": refusal.code,
                "message": refusal.message,
                "requestId": request_id,
            }
            headers = [
                (b"x-edge-request-id", request_id.encode()),
                (b"content-type", b"application/json"),
            ]
            answer = framed(refusal.status, headers, json_bytes({"error": error}))
        self._write(response(answer, self._door.clock, head_only=False, close=True))
        self._close()

    def _end_upgrade(self) -> None:
        """An upgrade is not taken: the request is answered as it stands, and that is all."""
        for ready in self._queue:
            ready.keep_alive = False

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        """Send the end, and read on for a while: a reset would take the answer from the peer."""
        if self._transport is None or self.closing_since_s:
            return
        self.closing_since_s = self._door.now_s
        self._message = None
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if not self._transport.is_reading() and not self._transport.is_closing():
            self._transport.resume_reading()

    def _hand_over(self, data: bytes) -> None:
        transport, self._transport = self._transport, None
        self._door.leave(self)
        assert transport is not None
        self._door.hand_over(transport, data)

    # What the sweeper and the stop ask

    @property
    def is_idle(self) -> bool:
        """Nothing is being read, run or written."""
        return self._task is None and not self._queue and self._message is None

    def sweep(self, now_s: float) -> None:
        """End what is too slow or idle for too long."""
        limits, transport = self._door.limits, self._transport
        if transport is None:
            return
        if self.closing_since_s:
            if now_s - self.closing_since_s > limits.linger_s:
                transport.abort()
        elif self.stuck_since_s:
            if now_s - self.stuck_since_s > limits.write_s:
                transport.abort()
        elif self._message is not None and self._task is None:
            if self._message.is_late(now_s):
                self._refuse(_TOO_SLOW)
        elif self.is_idle and now_s - self.quiet_since_s > limits.idle_s:
            self._close()

    def abort(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def stop(self) -> None:
        """The host stops: an idle connection ends now, others with their answer."""
        if self.is_idle:
            self._close()


_MALFORMED = Refusal(400, "invalid_request", "the request is not well-formed HTTP/1.1")
_TOO_SLOW = Refusal(408, "timeout", "the request did not arrive in time")
