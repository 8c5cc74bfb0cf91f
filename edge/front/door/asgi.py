"""The connection of an ASGI application: bodies and answers stream, each side waits for the other.

Neighbours: `connection.py` reads messages; the control plane is the application.
Source: https://asgi.readthedocs.io/en/latest/specs/www.html.
Invariant: of a request's body at most `PIECES_BYTES_MAX` and one read wait for the application; an
answer is as long as it said, or its connection is cut off before anyone could take it for whole.
"""

import asyncio
from collections import deque
from typing import Any
from urllib.parse import unquote_to_bytes

from edge.front.answers import BODILESS, Answer, error_answer
from edge.front.asgi import App, Message
from edge.front.door.head import Head
from edge.front.door.parts import PartedConnection
from edge.front.door.server import Door
from edge.front.door.writing import CHUNKED_FIELD, LAST_CHUNK, chunk, has_no_body
from edge.front.failures import platform_error
from edge.model.ids import new_request_id
from edge.model.limits import KIB

PIECES_BYTES_MAX = 64 * KIB


class AppConnection(PartedConnection):
    """A peer of an ASGI application."""

    __slots__ = ("_app", "_exchange")

    def __init__(self, door: Door, app: App) -> None:
        super().__init__(door)
        self._app = app
        self._exchange: Exchange | None = None

    def begin(self, head: Head) -> None:
        """Call the application; it asks for the body when it wants it."""
        self.busy = True
        self._exchange = Exchange(self, head, self._app, self.scope(head))

    def scope(self, head: Head) -> dict[str, Any]:
        """The request as ASGI has it."""
        transport = self._transport
        assert transport is not None
        server = transport.get_extra_info("sockname")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": head.version,
            "method": head.method,
            "scheme": "https" if transport.get_extra_info("ssl_object") else "http",
            "path": _unquoted(head.raw_path),
            "raw_path": head.raw_path,
            "query_string": head.raw_query,
            "root_path": "",
            "headers": head.fields,
            "client": (self.source(head.fields), 0),
            "server": tuple(server[:2]) if isinstance(server, tuple) else None,
            "extensions": {},
        }

    def add_body(self, pieces: list[bytes], size: int) -> None:
        """Offer some of the body to the application."""
        if self._exchange is not None:
            self._exchange.offer(pieces, size)

    def end_body(self) -> None:
        """Tell the application that that was all."""
        if self._exchange is not None:
            self._exchange.end_body()

    def abandon(self) -> bool:
        """The application learns that its peer is gone, and ends as it sees fit."""
        exchange, self._exchange = self._exchange, None
        return exchange is None or exchange.leave()

    # What the exchange does with the connection

    def resume_writing(self) -> None:
        """The peer reads again, and the application may go on."""
        if self._exchange is not None:
            self._exchange.wake()
        super().resume_writing()

    def finish(self, *, whole: bool) -> None:
        """The answer ended; a part of one must not look whole."""
        self._exchange = None
        self.busy = self.full = False
        if whole:
            self.end_parts()
            self.goes_on()
        else:
            self.abort()


class Exchange:
    """One request and its answer, between the application's task and the connection."""

    __slots__ = (
        "_connection",
        "_ended",
        "_fields",
        "_gone",
        "_head",
        "_left",
        "_more",
        "_news",
        "_pieces",
        "_size",
        "_started",
        "_status",
        "_task",
        "_whole",
    )

    def __init__(
        self, connection: AppConnection, head: Head, app: App, scope: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._head = head
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._more = head.length != 0  # of the request's body will come
        self._ended = False  # the application was told that it had all of it
        self._gone = False
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._started = False  # something of the answer was written
        self._left: int | None = None  # to come of a body whose length was said
        self._whole = False
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._call(app, scope))

    async def _call(self, app: App, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # the outermost frame: nothing may pass
            request_id = new_request_id()
            told = error_answer(platform_error(error, request_id), request_id)
            if not self._gone and not self._started:
                self._whole = True
                self._connection.respond(told)
        if not self._gone:
            self._connection.finish(whole=self._whole)

    # The request

    def offer(self, pieces: list[bytes], size: int) -> None:
        """Some of the body has come."""
        self._pieces.extend(pieces)
        self._size += size
        self._connection.full = self._size > PIECES_BYTES_MAX
        self._news.set()

    def end_body(self) -> None:
        """All of it has."""
        self._more = False
        self._news.set()

    def wake(self) -> None:
        """Something changed that the application may be waiting for."""
        self._news.set()

    def leave(self) -> bool:
        """The peer is gone; whether it could still be answered."""
        self._gone = True
        self._news.set()
        return not self._started

    async def _receive(self) -> Message:
        if self._ended:
            while not (self._gone or self._whole):
                await self._hear()
            return {"type": "http.disconnect"}
        if self._more and not self._pieces:
            self._connection.wants_body()
        while self._more and not self._pieces and not self._gone:
            await self._hear()
        if self._gone:
            return {"type": "http.disconnect"}
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._ended = not self._more
        if self._connection.full:
            self._connection.full = False
            self._connection.goes_on()
        return {"type": "http.request", "body": body, "more_body": not self._ended}

    async def _hear(self) -> None:
        self._news.clear()
        await self._news.wait()

    # The answer

    async def _send(self, message: Message) -> None:
        if self._gone:
            return
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._fields = list(message["headers"])
            return
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self._started:
            self._write(body)
        elif more:
            self._begin()
            self._write(body)
        else:
            self._answer(body)
        if not more:
            self._end()
        while not (self._connection.is_writable or self._gone):
            await self._hear()

    def _answer(self, body: bytes) -> None:
        """The answer came whole."""
        answer = self._framed()
        if self._left is None and answer.status not in BODILESS:
            answer.headers.append((b"content-length", b"%d" % len(body)))
        elif self._left != len(body) and not self._is_bodiless:
            raise ValueError("the answer is not as long as its Content-Length says")
        if self._more:
            self._connection.closes_after()  # nobody reads the rest of the request
        self._connection.respond(answer._replace(body=body))
        self._started = self._whole = True

    def _begin(self) -> None:
        """The answer comes in parts: of a known length, in chunks, or up to the end."""
        answer = self._framed()
        if self._left is None and not self._is_bodiless:
            if self._head.version == "1.0":
                self._connection.closes_after()
            else:
                answer.headers.append(CHUNKED_FIELD)
        self._started = True
        self._connection.write_head(answer)

    def _framed(self) -> Answer:
        """The answer's head, without what the connection says itself."""
        fields = []
        for name, value in self._fields:
            lower = name.lower()
            if lower == b"content-length":
                self._left = int(value)
            elif lower == b"connection":
                if value.lower() == b"close":
                    self._connection.closes_after()
                continue
            elif lower in (b"transfer-encoding", b"date"):
                continue
            fields.append((name, value))
        return Answer(self._status, fields)

    @property
    def _is_bodiless(self) -> bool:
        return has_no_body(self._head.method, self._status)

    def _write(self, body: bytes) -> None:
        if not body or self._is_bodiless:
            return
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise ValueError("the answer is longer than its Content-Length says")
            self._connection.write(body)
        elif self._head.version == "1.0":
            self._connection.write(body)
        else:
            self._connection.write(*chunk(body))

    def _end(self) -> None:
        if self._whole:
            return
        if self._is_bodiless:
            self._whole = True
        elif self._left is None:
            self._whole = True
            if self._head.version != "1.0":
                self._connection.write(LAST_CHUNK)
        else:
            self._whole = self._left == 0
        self._news.set()


def _unquoted(raw_path: bytes) -> str:
    """A path as text; bytes that are no UTF-8 become U+FFFD, as `raw_path` still has them."""
    return unquote_to_bytes(raw_path).decode("utf-8", "replace")
