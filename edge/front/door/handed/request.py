"""One request of HTTP/2: what its fields may be, how long its body and its answer may take.

Neighbours: `http2.py` makes one for each stream; Hypercorn's HTTPStream makes ASGI of it.
Invariant: of a body no more waits here than a stream's window lets in, and a stream whose
application does not read holds up no other; what could be read in two ways is refused.
"""

import asyncio
import re
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from hypercorn.protocol.events import InformationalResponse
from hypercorn.protocol.http_stream import HTTPStream

from edge.config import DoorSettings
from edge.front.answers import Answer
from edge.front.asgi import Message, Receive, Scope, send_answer
from edge.front.door.head import HOST
from edge.front.door.refusals import Refusal, refusal_answer
from edge.front.door.writing import is_taken
from edge.front.faults import BodyTooLate, NoRoomForBody

if TYPE_CHECKING:
    from edge.front.door.handed.http2 import Http2

Fields = Sequence[tuple[bytes, bytes]]

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
_PATH = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_SERVER_WIDE = b"*"
_BODY = "http.response.body"


class Stalled(Exception):
    """The peer did not take its answer in time."""


def is_malformed(fields: Fields, *, is_whole: bool) -> bool:
    """Whether a request is none, beyond what h2 looks for (RFC 9113, sections 8.1.1 and 8.3.1).

    `is_whole` says that no body follows. What CONNECT asks for is nothing that this server does.
    """
    named = dict(fields)
    method, path = named[b":method"], named.get(b":path", b"")
    if _METHOD.fullmatch(method) is None or method == b"CONNECT":
        return True
    if _PATH.fullmatch(path) is None and (method, path) != (b"OPTIONS", _SERVER_WIDE):
        return True
    if HOST.fullmatch(named.get(b":authority", named.get(b"host", b""))) is None:
        return True
    return is_whole and named.get(b"content-length", b"0").strip(b"0") != b""


class Http2Request(HTTPStream):
    """The stream of one request."""

    def __init__(self, http2: "Http2", stream_id: int) -> None:
        super().__init__(
            self._serve,
            http2.config,
            http2.context,
            http2.task_group,
            http2.ssl,
            http2.client,
            http2.server,
            http2.stream_send,
            stream_id,
        )
        self._http2 = http2
        self._door = http2.door
        self._receive_next: Receive
        self._awaits_continue = False
        self._is_read = False
        self._is_given_up = False
        self._held_bytes = 0
        self._due_s = inf

    async def _serve(
        self, scope: Any, receive: Any, send: Any, sync_spawn: Any, call_soon: Any
    ) -> None:
        """Have the application answer, or say why it is not asked; called as Hypercorn calls."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        scope["client"] = self._http2.source(headers), 0
        self._receive_next = receive
        try:
            answer = self._answer(scope, headers)
            if answer is None:
                await self._door.app(scope, self._receive, send)
            else:
                await send_answer(send, answer, head=scope["method"] == "HEAD")
        except Stalled:
            pass  # the stream is reset, as any is that was not answered to its end
        finally:
            if self._held_bytes:
                self._door.release_body(self._held_bytes)

    def _answer(self, scope: Scope, headers: Fields) -> Answer | None:
        """The answer to what is not the application's to see."""
        settings = self._door.settings
        target = len(scope["raw_path"]) + len(scope["query_string"])
        if target > settings.request_line_bytes_max:
            most = settings.request_line_bytes_max
            return refusal_answer(Refusal(414, "target_too_long", f"the path is over {most} bytes"))
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > settings.fields_max or size > settings.fields_bytes_max:
            text = "the header fields are too many or too long"
            return refusal_answer(Refusal(431, "headers_too_large", text))
        expected = [value.lower() for name, value in headers if name == b"expect"]
        if expected not in ([], [b"100-continue"]):
            text = "only 100-continue can be expected"
            return refusal_answer(Refusal(417, "expectation_failed", text))
        self._awaits_continue = bool(expected)
        return Answer(204, []) if scope["raw_path"] == _SERVER_WIDE else None

    # The body

    async def _receive(self) -> Message:
        """The next part of the body, in time; when there is none left, the peer's leaving.

        Raises BodyTooLate and NoRoomForBody; nothing more is read then.
        """
        if self._is_given_up:
            return {"type": "http.disconnect"}
        if self._is_read:
            return await self._receive_next()
        self._is_given_up = True
        message = await self._receive_part()
        self._is_given_up = False
        return message

    async def _receive_part(self) -> Message:
        settings = self._door.settings
        loop = self._door.loop
        if self._due_s == inf:
            self._due_s = loop.time() + settings.body_stall_s
        if self._awaits_continue:
            self._awaits_continue = False
            await self.send(InformationalResponse(self.stream_id, [], 100))
        try:
            async with asyncio.timeout_at(self._due_s):
                message = await self._receive_next()
        except TimeoutError:
            raise BodyTooLate("the body did not arrive in time") from None
        size = len(message.get("body", b""))
        self._is_read = not message.get("more_body", False)
        if size:
            # Every byte buys time, but no more than the longest pause: it cannot be saved up.
            due_s = self._due_s + size / settings.body_bytes_per_s_min
            self._due_s = min(due_s, loop.time() + settings.body_stall_s)
            self._hold(size)
            await self._http2.open_window(self.stream_id, size)
        return message

    def _hold(self, size: int) -> None:
        if self._door.keeps_bodies:
            try:
                self._door.hold_body(size)
            except Refusal as refusal:
                raise NoRoomForBody(refusal.message) from None
            self._held_bytes += size

    # The answer

    async def app_send(self, message: Any) -> None:
        """See HTTPStream; raises Stalled when the peer takes too long to read."""
        if message is None or message["type"] != _BODY:
            await super().app_send(message)
            return
        try:
            async with asyncio.timeout(None) as limit:
                watch = _Watch(self, limit)
                try:
                    await super().app_send(message)
                    await self._drain()
                finally:
                    watch.stop()
        except TimeoutError:
            # To the application it has left: whatever runs for it ends.
            await self.app_put({"type": "http.disconnect"})
            raise Stalled from None

    async def _drain(self) -> None:
        """Return when the peer's window had room; Hypercorn 0.18 lets any number of parts wait."""
        buffer = self._http2.stream_buffers.get(self.stream_id)
        if buffer is not None and buffer.buffer:
            await buffer.drain()

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer's window, or for its reading."""
        buffer = self._http2.stream_buffers.get(self.stream_id)
        return self._http2.unsent + (0 if buffer is None else len(buffer.buffer))

    @property
    def settings(self) -> DoorSettings:
        """The door's."""
        return self._door.settings


class _Watch:
    """Looks every `write_stall_s` whether some of an answer left, and ends the wait if not."""

    def __init__(self, request: Http2Request, limit: asyncio.Timeout) -> None:
        self._request = request
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._await(inf)

    def _await(self, before: float) -> None:
        self._before = before
        self._handle = self._loop.call_later(self._request.settings.write_stall_s, self._look)

    def _look(self) -> None:
        left = self._request.unsent
        if is_taken(self._before, left, self._request.settings):
            self._await(left)
        else:
            self._limit.reschedule(self._loop.time())

    def stop(self) -> None:
        """What was waited for came."""
        self._handle.cancel()
