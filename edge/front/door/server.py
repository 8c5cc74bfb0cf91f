"""The listener of the door: who is connected, who is too slow, what goes to Hypercorn, the stop.

Neighbours: `worker.py` opens it on a bound socket; `connection.py` is one peer.
Invariant: every connection is known here from its first byte to its last.
"""

import asyncio
import socket
from typing import Any

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from edge.front.door.connection import Connection
from edge.front.door.limits import DoorLimits
from edge.front.door.writing import Clock
from edge.front.services import Services

SWEEP_S = 1.0
BUFFERED_BYTES_MAX = 64 * 1024


class Door:
    """Serves the data plane over HTTP/1.1, and hands HTTP/2 to Hypercorn with `app`."""

    def __init__(self, services: Services, limits: DoorLimits, app: Any, config: Config) -> None:
        self.services = services
        self.limits = limits
        self.clock = Clock()
        self.loop = asyncio.get_running_loop()
        self.now_s = self.loop.time()
        self.stopping = False
        self._app = ASGIWrapper(app)
        self._config = config
        self._context = WorkerContext(None)
        self._connections: set[Connection] = set()
        self._handed: set[asyncio.Task[None]] = set()

    async def serve(self, sock: socket.socket, stop: asyncio.Event, backlog: int) -> None:
        """Serve until `stop`, then finish what runs, within the grace time."""
        listener = await self.loop.create_server(
            lambda: Connection(self), sock=sock, backlog=backlog
        )
        sweeper = asyncio.create_task(self._sweep())
        try:
            await stop.wait()
        finally:
            self.stopping = True
            listener.close()
            await self._context.terminated.set()
            for connection in tuple(self._connections):
                connection.stop()
            await self._drain()
            sweeper.cancel()

    def enter(self, connection: Connection) -> bool:
        """Note a new connection; False when it is one too many."""
        self.now_s = self.loop.time()
        if len(self._connections) >= self.limits.connections_max or self.stopping:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        self._connections.discard(connection)

    def hand_over(self, transport: asyncio.Transport, data: bytes) -> None:
        """Give a connection that speaks HTTP/2 to Hypercorn, with what was read of it."""

        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self.loop.create_task(self._serve_handed(reader, writer))
            self._handed.add(task)
            task.add_done_callback(self._handed.discard)

        reader = asyncio.StreamReader(limit=BUFFERED_BYTES_MAX, loop=self.loop)
        protocol = asyncio.StreamReaderProtocol(reader, serve, loop=self.loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    async def _serve_handed(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        state: dict[str, Any] = {}
        await TCPServer(self._app, self.loop, self._config, self._context, state, reader, writer)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.now_s = self.loop.time()
            for connection in tuple(self._connections):
                connection.sweep(self.now_s)

    async def _drain(self) -> None:
        """Wait for what runs, as long as the grace time lasts."""
        until_s = self.loop.time() + self._config.graceful_timeout
        while (self._connections or self._handed) and self.loop.time() < until_s:
            await asyncio.sleep(0.02)
        for connection in tuple(self._connections):
            connection.abort()
