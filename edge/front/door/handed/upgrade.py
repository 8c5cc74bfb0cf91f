"""Requests of HTTP/1.1 that offer to go on as HTTP/2 (`Upgrade: h2c`) or as a WebSocket.

Neighbours: `connection.py` of the door asks, when it has read such a head.
Source: RFC 7540, section 3.2, for h2c, which RFC 9113 gave up; RFC 6455, section 4.1.
Invariant: an offer that is not well-formed is no offer, and its request one like any other.
"""

import base64
import binascii
from typing import NamedTuple

from hyperframe.exceptions import HyperframeError
from hyperframe.frame import SettingsFrame

from edge.front.door.head import Head

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
_SETTINGS = b"http2-settings"
_OF_HTTP1 = frozenset(
    (b"host", b"connection", b"upgrade", b"keep-alive", b"proxy-connection", b"te", _SETTINGS)
)


class Upgrade(NamedTuple):
    """What a connection goes on with: of HTTP/2 its stream 1, and the client's settings."""

    fields: list[tuple[bytes, bytes]]
    settings: bytes


WEBSOCKET = Upgrade([], b"")
"""The request stands unread."""


def http2_upgrade(head: Head, scheme: bytes) -> Upgrade | None:
    """What goes on as HTTP/2, if the head offers that and the offer is whole."""
    given = [value for name, value in head.fields if name == _SETTINGS]
    if head.upgrade != b"h2c" or len(given) != 1:
        return None
    try:
        payload = base64.b64decode(given[0] + b"=" * (-len(given[0]) % 4), b"-_", validate=True)
        SettingsFrame(0).parse_body(memoryview(payload))
    except (binascii.Error, HyperframeError):
        return None
    host = next((value for name, value in head.fields if name == b"host"), b"")
    target = head.raw_path + (b"?" + head.raw_query if head.raw_query else b"")
    pseudo = [
        (b":method", head.method.encode()),
        (b":scheme", scheme),
        (b":authority", host),
        (b":path", target),
    ]
    kept = [field for field in head.fields if field[0] not in _OF_HTTP1]
    return Upgrade([*pseudo, *kept], base64.urlsafe_b64encode(payload))


def is_websocket(head: Head) -> bool:
    """Whether the head offers a WebSocket."""
    return head.upgrade == b"websocket" and head.method == "GET"
