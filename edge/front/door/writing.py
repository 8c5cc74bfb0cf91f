"""An answer as the bytes of an HTTP/1.1 response.

Neighbours: `connection.py` writes whole answers, `asgi.py` and `streams.py` those in parts.
Invariant: a head has as many lines as fields: no field can smuggle in another.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from edge.config import DoorSettings
from edge.front.answers import BODILESS

CLOSE = b"connection: close\r\n"
KEEP_ALIVE = b"connection: keep-alive\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNKED_FIELD = (b"transfer-encoding", b"chunked")

_UNSENT = termios.TIOCOUTQ
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def date_line(time_s: float) -> bytes:
    """The Date field with its line end; made once a second, for it costs as much as an answer."""
    return b"date: %s\r\n" % formatdate(time_s, usegmt=True).encode()


def response_head(
    status: int, fields: Iterable[tuple[bytes, bytes]], own: bytes, date: bytes, ending: bytes
) -> bytes:
    """The head of a response; `own` are lines of ours, ready to send; `ending` is the Connection
    field's line or nothing.

    Raises ValueError when a field is more than one line.
    """
    lines = [b": ".join(field) for field in fields]
    text = b"\r\n".join(lines)
    breaks = len(lines) - 1 if lines else 0
    if text.count(b"\n") != breaks or text.count(b"\r") != breaks or b"\0" in text:
        raise ValueError("a header field has a line end or a zero in it")
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    if text:
        return b"".join((line, text, b"\r\n", own, date, ending, b"\r\n"))
    return b"".join((line, own, date, ending, b"\r\n"))


def chunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    """One chunk of a body, to be written in this order."""
    return b"%x\r\n" % len(data), data, b"\r\n"


def last_chunk(trailers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The end of a body in chunks; `trailers` are checked fields."""
    lines = b"".join(b"%s: %s\r\n" % trailer for trailer in trailers)
    return b"0\r\n%s\r\n" % lines


def has_no_body(method: str, status: int) -> bool:
    """Whether a response ends with its head, whatever its fields say (RFC 9112, section 6.3)."""
    return method == "HEAD" or status in BODILESS


def unsent_bytes(transport: asyncio.WriteTransport) -> int:
    """What the peer has not taken, here and in the kernel: it asks for more only when a third of
    its own, which may be megabytes, has left."""
    size = 0
    # Not everywhere can the kernel be asked; asyncio's transport for TLS forgets all when it is
    # closed twice.
    with contextlib.suppress(OSError, AttributeError):
        size = transport.get_write_buffer_size()
        number = transport.get_extra_info("socket").fileno()
        size += int.from_bytes(fcntl.ioctl(number, _UNSENT, bytes(4)), sys.byteorder)
    return size


def is_taken(before: float, left: float, settings: DoorSettings) -> bool:
    """Whether a peer takes its answer fast enough: of `before` bytes, `left` are left after
    `write_stall_s`."""
    return before - left >= settings.write_stall_s * settings.body_bytes_per_s_min


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection so that its peer knows; else the kernel would keep sending what it has."""
    found = transport.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
