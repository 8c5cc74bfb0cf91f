"""Accepting for a door that speaks TLS: who is counted before the handshake, and waited for in it.

asyncio tells nobody of a connection until its handshake is done. A peer that never finishes one
would hold a descriptor unseen, for longer than it may take for a whole request; one that begins
many would be given 0.6 ms of arithmetic for each. So connections are accepted here.

Neighbours: `server.py` opens it where a certificate is set, and has its limits asked here.
Invariant: a peer is shaken hands with only where the door has room for it; a handshake ends within
the time for a head. A trusted proxy's PROXY header stands before TLS, and is read here.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from typing import TYPE_CHECKING

from edge.front.door.proxies import read_proxy_header
from edge.front.door.refusals import Refusal

if TYPE_CHECKING:
    from edge.front.door.server import Door

ACCEPTS_PER_TURN = 64
REST_S = 1.0
"""How long nothing is accepted when the machine has no descriptor left."""
GOODBYE_S = 2.0
"""How long a peer is given for its part of the end of TLS."""
_MAPPED = "::ffff:"


class Handshakes:
    """A listening socket, and the connections it gave that speak no HTTP yet."""

    def __init__(self, door: "Door", sock: socket.socket, context: ssl.SSLContext) -> None:
        """Begins to accept at once."""
        self._door = door
        self._sock = sock
        self._context = context
        self._running: set[asyncio.Task[None]] = set()
        self._per_address: Counter[str] = Counter()
        self._rest: asyncio.TimerHandle | None = None
        self._listen()

    @property
    def count(self) -> int:
        """How many shake hands now."""
        return len(self._running)

    def close(self) -> None:
        """Accept nobody more; who was accepted may finish."""
        if self._rest is not None:
            self._rest.cancel()
        self._door.loop.remove_reader(self._sock)
        self._sock.close()

    def abort(self) -> None:
        """End every handshake."""
        for task in tuple(self._running):
            task.cancel()

    def _listen(self) -> None:
        self._rest = None
        self._door.loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                sock, name = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._door.loop.remove_reader(self._sock)
                self._rest = self._door.loop.call_later(REST_S, self._listen)
                return
            address = name[0].removeprefix(_MAPPED)
            if not self._door.has_room(address, self.count, self._per_address[address]):
                sock.close()
                continue
            sock.setblocking(False)
            self._begin(sock, address)

    def _begin(self, sock: socket.socket, address: str) -> None:
        task = self._door.loop.create_task(self._shake(sock, address))
        self._running.add(task)
        self._per_address[address] += 1

        def end(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

        task.add_done_callback(end)

    async def _shake(self, sock: socket.socket, address: str) -> None:
        """Bring one connection to where the door meets it; a peer that cannot is no news."""
        door = self._door
        timeout_s = door.settings.head_timeout_s
        source = ""
        try:
            if door.settings.proxy_protocol == 1 and door.is_proxy(address):
                async with asyncio.timeout(timeout_s):
                    source = await _read_source(door.loop, sock)
            await door.loop.connect_accepted_socket(
                lambda: door.connect(source),
                sock,
                ssl=self._context,
                ssl_handshake_timeout=timeout_s,
                ssl_shutdown_timeout=GOODBYE_S,
            )
        except (OSError, Refusal):
            with contextlib.suppress(OSError):
                sock.close()


async def _read_source(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> str:
    """The source in a PROXY header; byte for byte, for what follows it is TLS's to read.

    Raises Refusal when there is none, OSError when the peer is gone.
    """
    data, found = b"", None
    while found is None:
        piece = await loop.sock_recv(sock, 1)
        if not piece:
            raise ConnectionResetError
        data += piece
        found = read_proxy_header(data)
    return found[1]
