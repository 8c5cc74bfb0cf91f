"""What costs a peer little and a server much, over HTTP/2: each ends with its connection.

Neighbours: `test_http2_attacks.py` sends them.
"""

import hpack

from tests.front.door.http2.case import (
    END_STREAM,
    WHOLE,
    Type,
    block,
    data,
    fields,
    frame,
    get,
    post,
    rst,
    setting,
    window,
)

MANY = 20_000
_CALM = "ENHANCE_YOUR_CALM"


def _bomb() -> bytes:
    """A field of 4,000 bytes, and a block of one byte for each time that it is meant again."""
    encoder = hpack.Encoder()
    first = encoder.encode([*fields(), ("x", "a" * 4_000)])
    return frame(Type.HEADERS, WHOLE, 1, first) + frame(Type.HEADERS, WHOLE, 3, b"\xbe" * 16_000)


ATTACKS: dict[str, tuple[bytes, str]] = {
    "rapid reset": (b"".join(get(n) + rst(n) for n in range(1, 2_000, 2)), _CALM),
    "rapid reset of bodies": (b"".join(post(n) + rst(n) for n in range(1, 2_000, 2)), _CALM),
    "resets that the server is made to send": (
        b"".join(post(n) + window(n, 2**31 - 1) for n in range(1, 2_000, 2)),
        _CALM,
    ),
    "CONTINUATION without an end": (
        frame(Type.HEADERS, END_STREAM, 1, block(*fields()))
        + frame(Type.CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 3_000) * 100,
        _CALM,
    ),
    "CONTINUATION of nothing": (
        frame(Type.HEADERS, END_STREAM, 1, block(*fields()))
        + frame(Type.CONTINUATION, 0, 1) * MANY,
        "PROTOCOL_ERROR",
    ),
    "PING": (frame(Type.PING, payload=bytes(8)) * MANY, _CALM),
    "SETTINGS": (setting(3, 100) * MANY, _CALM),
    "PRIORITY of many streams": (
        b"".join(frame(Type.PRIORITY, 0, n, bytes(5)) for n in range(1, 2 * MANY, 2)),
        _CALM,
    ),
    "WINDOW_UPDATE": (window(0, 1) * MANY, _CALM),
    "DATA of nothing": (post(1, "/echo") + data(1) * MANY, _CALM),
    "DATA of a byte each": (post(1, "/echo") + data(1, b"x") * MANY, _CALM),
    "DATA of padding": (
        post(1, "/echo") + frame(Type.DATA, 8, 1, b"\x05" + bytes(5)) * MANY,
        _CALM,
    ),
    "frames that nobody knows": (frame(Type.UNKNOWN, 0, 1, b"x") * MANY, _CALM),
    "a bomb of fields": (_bomb(), _CALM),
}
