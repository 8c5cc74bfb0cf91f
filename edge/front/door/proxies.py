"""Where a request comes from, when it comes through proxies that are trusted by their address.

Neighbours: `connection.py` asks; the addresses are configured, and nobody else is believed.
Sources: RFC 7239 (`Forwarded`); the PROXY protocol, versions 1 and 2, as HAProxy specifies it.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from edge.front.door.refusals import Refusal, malformed

_FOR = re.compile(
    r'(?:^|;)[ \t]*for="?(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::[0-9]+)?"?[ \t]*(?:;|$)', re.I
)
_PORT = re.compile(r"^(\[.*\]|[0-9.]+):[0-9]{1,5}$")
_VERSION_1 = re.compile(
    rb"PROXY (?:UNKNOWN(?: [\x20-\x7e]*)?|TCP[46] ([0-9A-Fa-f:.]+) [0-9A-Fa-f:.]+ "
    rb"[0-9]{1,5} [0-9]{1,5})\r\n"
)
_VERSION_1_BYTES_MAX = 107
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_VERSION_2_HEAD = 16
_VERSION_2_BYTES_MAX = 2_048
_IPV4, _IPV6 = 0x10, 0x20
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}


class Proxies:
    """The proxies of a host."""

    def __init__(self, listed: str) -> None:
        """`listed` are addresses or networks, separated by commas."""
        self._networks = tuple(ip_network(each.strip()) for each in listed.split(","))

    def trusts(self, address: str) -> bool:
        """Whether what `address` says of others is believed."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def source(self, peer: str, fields: Iterable[tuple[bytes, bytes]]) -> str:
        """Who sent the request that the trusted `peer` passed on.

        Each proxy appends whom it saw, so the list is walked from its end for as long as those
        are trusted too: what stands before the first stranger is that stranger's own invention.
        """
        forwarded = [value.decode("latin-1") for name, value in fields if name == b"forwarded"]
        if forwarded:
            seen = [_forwarded_for(element) for element in ",".join(forwarded).split(",")]
        else:
            named = [v.decode("latin-1") for name, v in fields if name == b"x-forwarded-for"]
            seen = [_address(element) for element in ",".join(named).split(",")] if named else []
        source = peer
        for address in reversed(seen):
            if address is None or not self.trusts(source):
                break
            source = address
        return source


def _forwarded_for(element: str) -> str | None:
    found = _FOR.search(element)
    return _address(found[1]) if found else None


def _address(text: str) -> str | None:
    """`text` without port and brackets; None when it is no address (`unknown`, `_hidden`)."""
    text = text.strip()
    with_port = _PORT.match(text)
    bare = (with_port[1] if with_port else text).strip("[]")
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def read_proxy_header(data: bytes) -> tuple[int, str] | None:
    """The length of the PROXY protocol's header that `data` begins with, and the source in it.

    None when more must come; the source is empty when the proxy speaks for itself. Raises Refusal.
    """
    if data[:1] == _SIGNATURE[:1]:
        return _read_version_2(data)
    line = _VERSION_1.match(data)
    if line is not None and line.end() <= _VERSION_1_BYTES_MAX:
        return line.end(), _checked(line[1].decode()) if line[1] else ""
    begun = data[:6]
    if b"\n" in data or len(data) > _VERSION_1_BYTES_MAX or not b"PROXY ".startswith(begun):
        raise _not_proxied()
    return None


def _read_version_2(data: bytes) -> tuple[int, str] | None:
    if not _SIGNATURE.startswith(data[: len(_SIGNATURE)]):
        raise _not_proxied()
    if len(data) < _VERSION_2_HEAD:
        return None
    command, family = data[12], data[13]
    length = _VERSION_2_HEAD + int.from_bytes(data[14:16], "big")
    if command not in (0x20, 0x21) or length > _VERSION_2_BYTES_MAX:
        raise _not_proxied()
    if len(data) < length:
        return None
    size = _ADDRESS_BYTES.get(family & 0xF0)
    if command == 0x20 or size is None:  # the proxy's own health check, or no address
        return length, ""
    if length < _VERSION_2_HEAD + 2 * size + 4:
        raise _not_proxied()
    return length, str(ip_address(data[_VERSION_2_HEAD : _VERSION_2_HEAD + size]))


def _checked(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        raise _not_proxied() from None


def _not_proxied() -> Refusal:
    return malformed("a connection from this proxy must begin with the PROXY protocol's header")
