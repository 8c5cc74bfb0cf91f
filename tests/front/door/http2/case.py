"""One row of the table, and short ways to write frames, right ones and wrong ones.

Neighbours: the sections of the table use it, `peer.py` sends what they wrote.
"""

from dataclasses import dataclass
from enum import IntEnum

import hpack
from hyperframe.frame import Frame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = SettingsFrame(0).serialize()
LOCAL = b"\0\0\0\x04\x01\0\0\0\0"
"""The acknowledgement of SETTINGS."""


class Type(IntEnum):
    """Frame types, of which the wire knows more than hyperframe writes."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9
    UNKNOWN = 0xEE


END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20
WHOLE = END_STREAM | END_HEADERS


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes for a connection that is open, and what the door tells then.

    `told` are answers and errors in the order of their streams, an error of the connection last:
    `1: 200`, `1: RST STREAM_CLOSED`, `GOAWAY PROTOCOL_ERROR`. `awaited` are streams whose end is
    waited for. `starts` is False where the bytes stand in the place of preface and SETTINGS.
    """

    data: bytes
    told: tuple[str, ...]
    awaited: tuple[int, ...] = ()
    starts: bool = True

    @property
    def closes(self) -> bool:
        """Whether the connection ends with it."""
        return ":" not in self.told[-1]


def answered(data: bytes, *statuses: str) -> Case:
    """Frames that are taken; `1: 200` of stream 1 unless it is said otherwise."""
    told = statuses or ("1: 200",)
    return Case(data, told, tuple(int(text.partition(":")[0]) for text in told))


def ignored(data: bytes) -> Case:
    """Frames that say nothing: a request behind them is answered."""
    return answered(data + get(101), "101: 200")


def refused(data: bytes, error: str = "PROTOCOL_ERROR") -> Case:
    """Frames that end the connection."""
    return Case(data, (f"GOAWAY {error}",))


def reset(data: bytes, error: str, stream: int = 1) -> Case:
    """Frames that end their stream, and no other."""
    return Case(data + get(101), (f"{stream}: RST {error}", "101: 200"), (stream, 101))


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """A frame, however wrong."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + payload


def frames(*given: Frame) -> bytes:
    """Frames that hyperframe writes."""
    return b"".join(each.serialize() for each in given)


def block(*fields: tuple[str, str]) -> bytes:
    """A header block that leaves the dynamic table as it is."""
    encoder = hpack.Encoder()
    return bytes(encoder.encode([(name, value, True) for name, value in fields], huffman=False))


def fields(
    method: str = "GET", path: str = "/hello", *more: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """The fields of a request."""
    start = ((":method", method), (":scheme", "http"), (":authority", "a"), (":path", path))
    return start + more


def headers(
    stream: int, *given: tuple[str, str], flags: int = WHOLE, padding: bytes = b""
) -> bytes:
    """A HEADERS frame with these fields, those of a GET if there are none."""
    return frame(Type.HEADERS, flags, stream, padding + block(*(given or fields())))


def get(stream: int = 1, path: str = "/hello", *more: tuple[str, str]) -> bytes:
    """A request without a body."""
    return headers(stream, *fields("GET", path, *more))


def post(stream: int = 1, path: str = "/hello", *more: tuple[str, str]) -> bytes:
    """A request whose body is still to come."""
    return headers(stream, *fields("POST", path, *more), flags=END_HEADERS)


def data(stream: int, content: bytes = b"", *, ends: bool = False) -> bytes:
    """A DATA frame."""
    return frame(Type.DATA, END_STREAM if ends else 0, stream, content)


def setting(identifier: int, value: int) -> bytes:
    """A SETTINGS frame with one setting."""
    return frame(Type.SETTINGS, payload=identifier.to_bytes(2, "big") + value.to_bytes(4, "big"))


def window(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(Type.WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def rst(stream: int, error: int = 8) -> bytes:
    """A RST_STREAM frame; CANCEL unless it is said otherwise."""
    return frame(Type.RST_STREAM, 0, stream, error.to_bytes(4, "big"))
