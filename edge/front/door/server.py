"""The listener of a door: who is connected, who is too slow, what goes to Hypercorn, the stop.

Neighbours: `worker.py` opens one on each plane's socket; `connection.py` is one peer.
Invariant: every connection is known here from its first byte to its last, a handed-over one too.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from edge.config import DoorSettings
from edge.front.asgi import App
from edge.front.door.handed.connection import HandedConnection, HandedHttp2
from edge.front.door.handed.upgrade import WEBSOCKET, Upgrade
from edge.front.door.handshakes import Handshakes
from edge.front.door.head import Heads
from edge.front.door.outbox import Outbox
from edge.front.door.peer import Peer
from edge.front.door.proxies import Proxies
from edge.front.door.refusals import body_no_room, too_many
from edge.front.door.writing import date_line
from edge.model.limits import KIB

SWEEP_S = 1.0
EXPIRED_PER_TURN = 16
"""How many that waited too long are told so before others have their turn: each takes 30 µs."""
HANDED_BYTES_MAX = 64 * KIB
NEWCOMER_S = 1.0
"""How long a stopping door waits for the first request of a connection that it took."""
_DRAIN_POLL_S = 0.02

Connect = Callable[["Door"], Peer]


class Door:
    """Serves HTTP/1.1 by the connections that `connect` makes, and the rest by Hypercorn."""

    def __init__(
        self,
        app: App,
        connect: Connect,
        settings: DoorSettings,
        config: Config,
        *,
        keeps_bodies: bool,
    ) -> None:
        """`app` is what Hypercorn calls for HTTP/2; `config` has its grace time and TLS files.

        `keeps_bodies`: it collects bodies, so that they count against `bodies_bytes_max`.
        """
        self.settings = settings
        self.heads = Heads(settings)
        self.proxies = Proxies(settings.trusted_proxies) if settings.trusted_proxies else None
        self.loop = asyncio.get_running_loop()
        self.outbox = Outbox(self.loop, settings)
        self.now_s = self.loop.time()
        self.date = date_line(time.time())
        self.stopping = False
        self.app = app
        self.config = config
        self.config.max_app_queue_size = 0  # HTTP/2's windows bound what waits
        self.context = WorkerContext(None)
        self.keeps_bodies = keeps_bodies
        self._connect = connect
        self._connections: set[Peer | HandedConnection] = set()
        self._per_address: Counter[str] = Counter()
        self._handed: set[asyncio.Task[None]] = set()
        self._body_bytes = 0
        self._handshakes: Handshakes | None = None

    async def serve(self, sock: socket.socket, stop: asyncio.Event, backlog: int) -> None:
        """Serve until `stop`, then finish what runs, within the grace time."""
        listener = await self._listen(sock, backlog)
        sweeper = asyncio.create_task(self._sweep())
        try:
            await stop.wait()
        finally:
            self.stopping = True
            listener.close()
            await self.context.terminated.set()
            self._close_idle(keep_new=True)
            await self._drain()
            sweeper.cancel()

    async def _listen(self, sock: socket.socket, backlog: int) -> asyncio.Server | Handshakes:
        context = self.config.create_ssl_context()
        if context is None:
            return await self.loop.create_server(self.connect, sock=sock, backlog=backlog)
        self._handshakes = Handshakes(self, sock, context)
        return self._handshakes

    # What connections say

    def connect(self, source: str = "") -> Peer:
        """The protocol of a new connection; `source` is what a proxy said of it before TLS."""
        connection = self._connect(self)
        connection.introduced = source
        return connection

    def has_room(self, address: str, handshakes: int, handshakes_of_address: int) -> bool:
        """Whether another connection from `address` is shaken hands with, beside those that are."""
        settings = self.settings
        if len(self._connections) + handshakes >= settings.connections_max + settings.refused_max:
            return False
        count = self._per_address[address] + handshakes_of_address
        return count < settings.connections_per_address_max or self.is_proxy(address)

    def enter(self, connection: Peer) -> None:
        """Note a new connection. Raises Refusal when it is one too many."""
        self.now_s = self.loop.time()
        count, settings = len(self._connections), self.settings
        if count >= settings.connections_max + settings.refused_max:
            connection.abort()
            return
        self._connections.add(connection)
        address = connection.address
        self._per_address[address] += 1
        if count >= settings.connections_max:
            raise too_many("this host has as many connections as it takes; try again")
        limit = settings.connections_per_address_max
        if self._per_address[address] > limit and not self.is_proxy(address):
            raise too_many(f"there are {limit} connections from this address; close some")

    def is_proxy(self, address: str) -> bool:
        """Whether `address` is a proxy that is trusted."""
        return self.proxies is not None and self.proxies.trusts(address)

    def leave(self, connection: Peer | HandedConnection) -> None:
        """Forget a connection that is over."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        address = connection.address
        self._per_address[address] -= 1
        if not self._per_address[address]:
            del self._per_address[address]

    def hold_body(self, size: int) -> None:
        """Count bytes of a body that is kept until it is whole. Raises Refusal for want of room."""
        if self._body_bytes + size > self.settings.bodies_bytes_max:
            raise body_no_room()
        self._body_bytes += size

    def release_body(self, size: int) -> None:
        """The body was passed on, or given up."""
        self._body_bytes -= size

    # HTTP/2 and the rest

    def hand_over(
        self, connection: Peer, transport: asyncio.Transport, data: bytes, upgrade: Upgrade | None
    ) -> None:
        """Give a connection to Hypercorn, with what was not read of it."""

        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handed: HandedConnection
            if upgrade is WEBSOCKET:
                handed = HandedConnection(self, connection, reader, writer)
            else:
                handed = HandedHttp2(self, connection, reader, writer, upgrade)
            self._connections.discard(connection)
            self._connections.add(handed)
            task = self.loop.create_task(self._serve_handed(handed))
            self._handed.add(task)
            task.add_done_callback(self._handed.discard)

        reader = asyncio.StreamReader(limit=HANDED_BYTES_MAX, loop=self.loop)
        protocol = asyncio.StreamReaderProtocol(reader, serve, loop=self.loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if data:
            protocol.data_received(data)

    async def _serve_handed(self, handed: HandedConnection) -> None:
        try:
            await handed.serve()
        finally:
            self.leave(handed)

    # Time

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = self.now_s = self.loop.time()
            self.date = date_line(time.time())
            expired = 0
            for connection in tuple(self._connections):
                if connection.due_s <= now_s:
                    connection.expire()
                    expired += 1
                    if expired % EXPIRED_PER_TURN == 0:
                        await asyncio.sleep(0)

    def _close_idle(self, *, keep_new: bool) -> None:
        """Close connections that ask for nothing. Whoever just came has a request on its way: to
        its client a close would be a failure, where one between two requests is not."""
        for connection in tuple(self._connections):
            if connection.is_idle and not (keep_new and connection.is_new):
                connection.close()

    async def _drain(self) -> None:
        """Wait for what runs, as long as the grace time lasts."""
        began_s = self.loop.time()
        until_s = began_s + self.config.graceful_timeout
        while self._is_needed and self.loop.time() < until_s:
            await asyncio.sleep(_DRAIN_POLL_S)
            if self.loop.time() > began_s + NEWCOMER_S:
                self._close_idle(keep_new=False)
        if self._handshakes is not None:
            self._handshakes.abort()
        for connection in tuple(self._connections):
            connection.abort()

    @property
    def _is_needed(self) -> bool:
        shaking = self._handshakes is not None and self._handshakes.count > 0
        return bool(self._connections or self._handed or shaking)
