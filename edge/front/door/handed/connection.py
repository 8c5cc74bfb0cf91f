"""A connection that Hypercorn serves, as the door sees it: how long it waits, how it ends.

Neighbours: `server.py` keeps it among its connections; `http2.py` is its protocol.
Invariant: nothing it waits for is waited for without an end: a request, the peer's reading, the
peer's own end.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import structlog
from h2.exceptions import ProtocolError
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.events import Event, RawData, Updated

from edge.front.asgi import App
from edge.front.door.handed.http2 import Http2
from edge.front.door.handed.upgrade import Upgrade
from edge.front.door.peer import LINGER_S, NEVER, Peer
from edge.front.door.refusals import malformed, refusal_answer
from edge.front.door.writing import is_taken, reset, unsent_bytes

if TYPE_CHECKING:
    from edge.front.door.server import Door

_ACCEPTED = b"HTTP/1.1 101 "

_log = structlog.get_logger(__name__)


class HandedConnection(TCPServer):
    """A peer of Hypercorn's. `due_s` is when, on the loop's clock, it has waited too long."""

    is_new = False

    def __init__(
        self,
        door: "Door",
        origin: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        app = WebSocketOnly(door.app)
        super().__init__(app, door.loop, door.config, door.context, {}, reader, writer)
        self.door = door
        self._origin = origin
        self.address = origin.address
        self.due_s = self._due_else_s = NEVER
        self._writes = 0  # that wait for the peer to read
        self._unsent = 0  # bytes, when this was last looked at
        self._transport = writer.transport

    async def serve(self) -> None:
        """Serve to the end, whatever happens; only this connection's own."""
        self.wait_until(self.door.loop.time() + self.door.settings.head_timeout_s)
        try:
            await self.run()
        except Exception as error:
            _log.error("handed_connection_failed", cause=_cause(error))
            self.abort()

    async def protocol_send(self, event: Event) -> None:
        """See TCPServer; what is written must leave: some of it in any `write_stall_s`."""
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        self._await_writing()
        self._writes += 1
        try:
            await super().protocol_send(event)
        finally:
            self._writes -= 1
            if not self._writes:
                self.due_s = self._due_else_s
        self.after_writing(event.data)

    def after_writing(self, data: bytes) -> None:
        """What comes after this. Hypercorn does not close behind every WebSocket it declines."""
        is_accepted = data.startswith(_ACCEPTED)
        self.wait_until(NEVER if is_accepted else self.door.loop.time() + LINGER_S)

    def _await_writing(self) -> None:
        self._unsent = self.unsent
        self.due_s = self.door.loop.time() + self.door.settings.write_stall_s

    def _is_stuck(self) -> bool:
        """Whether the peer does not read what is written."""
        before = self._unsent
        self._await_writing()
        return not is_taken(before, self._unsent, self.door.settings)

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer to read them."""
        return unsent_bytes(self._transport)

    def wait_until(self, due_s: float) -> None:
        """How long it may wait for what is not the peer's reading."""
        self._due_else_s = due_s
        if not self._writes:
            self.due_s = due_s

    # What the sweeper and the stop ask

    @property
    def is_idle(self) -> bool:
        """Whether it can be closed now: it is for Hypercorn to see to that."""
        return False

    def expire(self) -> None:
        """It waited too long."""
        if not self._writes:
            self.abort()
        elif self._is_stuck():
            reset(self._transport)

    def close(self) -> None:
        """Take nothing more."""

    def abort(self) -> None:
        """End it now."""
        self._transport.abort()


class HandedHttp2(HandedConnection):
    """A peer that speaks HTTP/2."""

    def __init__(
        self,
        door: "Door",
        origin: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upgrade: Upgrade | None,
    ) -> None:
        super().__init__(door, origin, reader, writer)
        self.context = WorkerContext(None)  # which nobody ends: `leave` is more polite
        self.local = _local(writer)
        self.is_tls = writer.get_extra_info("ssl_object") is not None
        self._upgrade = upgrade
        self._http2: Http2 | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._is_ending = False

    async def run(self) -> None:
        """See TCPServer."""
        try:
            async with TaskGroup(self.loop) as task_group:
                self._task_group = task_group
                self._http2 = Http2(self, task_group)
                self.protocol = self._http2  # type: ignore[assignment]  # without its wrapper
                self._wait_for_request()
                await self._begin(self._http2)
                await self._read_data()
        except OSError:
            pass
        finally:
            if self._leaving is not None:
                self._leaving.cancel()
            await self._close()

    async def _begin(self, http2: Http2) -> None:
        if self._upgrade is None:
            await http2.initiate()
            return
        self.wait_until(NEVER)
        try:
            await http2.initiate(*self._upgrade)
        except ProtocolError as error:
            await http2.end(error.error_code)

    def source(self, headers: list[tuple[bytes, bytes]]) -> str:
        """The address that a request comes from, a trusted proxy's word taken for it."""
        return self._origin.source(headers)

    async def protocol_send(self, event: Event) -> None:
        """See HandedConnection; the wait for a request has an end, too."""
        if not isinstance(event, Updated):
            await super().protocol_send(event)
        elif self._is_ending:
            pass
        elif event.idle:
            self._wait_for_request()
        else:
            self.wait_until(NEVER)

    def after_writing(self, data: bytes) -> None:
        """See HandedConnection; here streams say how long is waited."""

    def _wait_for_request(self) -> None:
        self.wait_until(self.loop.time() + self.door.settings.idle_timeout_s)

    def linger(self) -> None:
        """All is written: read on for a while, for a reset would take the last of it from the
        peer."""
        self._is_ending = True
        self.wait_until(self.loop.time() + LINGER_S)
        with contextlib.suppress(OSError, RuntimeError):
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()  # TLS has its own word for the end

    @property
    def is_idle(self) -> bool:
        """Whether it has not been told to leave."""
        return self._leaving is None and not self._is_ending

    def close(self) -> None:
        """Say that nothing more is taken, and leave when what was taken is answered."""
        if self._http2 is not None and self.is_idle:
            self._leaving = self.loop.create_task(self._http2.leave())

    def expire(self) -> None:
        """It waited too long: for a request, which it is told; for the peer to read or to end."""
        if self._writes or not self.is_idle:
            super().expire()
        else:
            self.close()
            self.wait_until(self.loop.time() + 2 * LINGER_S)


class WebSocketOnly:
    """An application that is asked for WebSockets only: the rest of HTTP/1.1 is read elsewhere."""

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(
        self, scope: Any, receive: Any, send: Any, sync_spawn: Any, call_soon: Any
    ) -> None:
        """One ASGI connection, called as Hypercorn calls."""
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        answer = refusal_answer(malformed("the request offers a WebSocket, and is none"))
        headers = [*answer.headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def _local(writer: asyncio.StreamWriter) -> tuple[str, int] | None:
    name = writer.get_extra_info("sockname")
    return (name[0], name[1]) if isinstance(name, tuple) else None


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
