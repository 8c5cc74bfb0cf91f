"""Connecting for a guest: the name is resolved, each address checked, and a checked one connected.

Neighbours: `fetcher.py` hands one of these to httpcore for each connection.
Invariant: the address that was checked is the one connected to; nothing resolves the name again,
so a name server that changes its mind (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import httpcore

from edge.host.answers import CallError, Code
from edge.host.fetch.addresses import is_public
from edge.host.grants import GrantSet
from edge.host.hostname import parse_address

CONNECT_TIMEOUT_S = 5.0
ADDRESSES_TRIED_MAX = 4


class Resolver(Protocol):
    """Finds the addresses of a host name."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Literal addresses, the preferred first; raises OSError when there are none."""


class SystemResolver:
    """The machine's own resolver, off the event loop."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """See Resolver."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return [str(address[0]) for *_, address in found]


class GrantedNetwork(httpcore.AsyncNetworkBackend):
    """The network as one function's grants let it be seen, for one connection. TCP only."""

    def __init__(self, grants: GrantSet, resolver: Resolver) -> None:
        self._grants = grants
        self._resolver = resolver
        self._sockets = httpcore.AnyIOBackend()
        self._stream: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; raises CallError."""
        addresses = await self._permitted(host, port)
        for address in addresses[:ADDRESSES_TRIED_MAX]:
            try:
                self._stream = await self._sockets.connect_tcp(
                    address, port, CONNECT_TIMEOUT_S, local_address, socket_options
                )
                return self._stream
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise CallError(Code.UNREACHABLE, f"{host}:{port} takes no connection")

    async def aclose(self) -> None:
        """Close what was opened: httpcore loses it when cancelled in the middle of a handshake."""
        if self._stream is not None:
            await self._stream.aclose()

    async def _permitted(self, host: str, port: int) -> list[str]:
        """The addresses of the host that may be connected to; raises CallError when none may."""
        literal = parse_address(host)
        if literal is not None:
            found: Sequence[str] = [str(literal)]
        else:
            try:
                found = await self._resolver.resolve(host, port)
            except (OSError, UnicodeError):
                raise CallError(Code.UNREACHABLE, f"{host} has no address") from None
        permitted = [address for address in found if self._permits(address, port)]
        if not permitted:
            raise CallError(
                Code.DENIED,
                f"{host} leads to an address that is not public; such an address must be granted"
                f" itself, as fetch:ADDRESS:{port}",
            )
        return permitted

    def _permits(self, text: str, port: int) -> bool:
        address = parse_address(text)
        if address is None:
            return False
        return is_public(address) or self._grants.allows_address(str(address), port)
