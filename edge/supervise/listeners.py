"""The listening sockets: a pair for each worker, held here and lent to whichever process serves.

The kernel keeps a queue of connections for each listening socket, and resets what is in it when
the last holder closes it. Here the holder is the supervisor, so a worker can end, and another take
its place, and what waited in the queue is served by the next one.

Neighbours: `systemd.py` or `handover.py` may have had the sockets before; `process.py` lends them.
Invariant: no listening socket is closed before the host stops.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

from edge.config import Address, Settings, TlsSettings
from edge.model.errors import Unsupported
from edge.supervise.systemd import NAMES

BACKLOG = 2_048
"""Connections that wait to be accepted; beyond it a client tries again a second later."""

Pair = tuple[socket.socket, socket.socket]
Passed = Mapping[str, Sequence[socket.socket]]


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the doors are open. `control_is_local`: only this machine can reach that one."""

    http_url: str
    control_url: str
    control_is_local: bool


class Listeners:
    """The sockets of both doors: `pairs[i]` are those of worker `i`."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = tuple(pairs)

    @classmethod
    def open(cls, settings: Settings, passed: Passed) -> Self:
        """Listen for each worker beside the others, or on what was passed.

        Fewer passed sockets than workers are shared. Raises Unsupported when an address cannot be
        had or there are more sockets than workers.
        """
        doors: list[Sequence[socket.socket]] = []
        try:
            for name, address in zip(NAMES, (settings.http, settings.control), strict=True):
                given = passed.get(name, ())
                if given:
                    _check_count(name, given, settings.workers)
                    doors.append(given)
                else:
                    doors.append(_bind_beside(address, settings.workers))
        except BaseException:
            for sock in chain(*doors, *passed.values()):
                sock.close()
            raise
        http, control = (
            [given[worker % len(given)] for worker in range(settings.workers)] for given in doors
        )
        return cls(tuple(zip(http, control, strict=True)))

    @classmethod
    def inherit(cls, descriptors: Sequence[tuple[int, int]]) -> Self:
        """The sockets that a former image of this process had."""
        sockets = {number: socket.socket(fileno=number) for pair in descriptors for number in pair}
        for sock in sockets.values():
            sock.set_inheritable(False)
        return cls([(sockets[http], sockets[control]) for http, control in descriptors])

    def ready(self, tls: TlsSettings) -> Ready:
        """The URLs, with the ports that were taken."""
        http, control = (_address(sock) for sock in self.pairs[0])
        return Ready(
            http.url_over(tls=tls.http is not None),
            control.url_over(tls=tls.control is not None),
            all(_address(sock).is_loopback for _, sock in self.pairs),
        )

    @property
    def descriptors(self) -> tuple[tuple[int, int], ...]:
        """What `inherit` takes."""
        return tuple((http.fileno(), control.fileno()) for http, control in self.pairs)

    def close(self) -> None:
        """Stop listening."""
        for pair in self.pairs:
            for sock in pair:
                sock.close()


def _address(sock: socket.socket) -> Address:
    return Address(*sock.getsockname()[:2])


def _check_count(name: str, sockets: Sequence[socket.socket], workers: int) -> None:
    if len(sockets) > workers:
        raise Unsupported(
            f"systemd passed {len(sockets)} sockets named {name!r} for {workers} worker(s):"
            f" give --workers {len(sockets)}, or pass fewer"
        )


def _bind_beside(address: Address, count: int) -> list[socket.socket]:
    """As many sockets at one address; the kernel spreads connections over them."""
    if address.port:
        # Sockets that share an address would share it with another host's, too, and silently.
        _bind(address, shared=False).close()
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            sock = _bind(address, shared=True)
            sockets.append(sock)
            sock.listen(BACKLOG)
            sock.setblocking(False)
            address = _address(sock)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind(address: Address, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((address.host, address.port))
    except OSError as error:
        sock.close()
        raise Unsupported(f"cannot listen on {address.bind}: {error.strerror}") from None
    return sock
