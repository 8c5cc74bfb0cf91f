"""Frames of `application/vnd.amazon.eventstream`, in which AWS streams what is more than one thing.

Neighbours: `streaming.py` sends them.
Source: https://smithy.io/2.0/aws/amazon-eventstream.html. A frame is its length, its headers'
length and a checksum of the two; the headers; the payload; a checksum of all that. Numbers are
big-endian, checksums CRC-32, and a header's value of type 7 is a text with a length of two bytes.
"""

import struct
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">II")
_CHECKSUM = struct.Struct(">I")
_OVERHEAD_BYTES = 16
_TEXT = 7


def event(kind: str, content_type: str, payload: bytes) -> bytes:
    """One event's frame."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", kind),
            (":content-type", content_type),
            (":message-type", "event"),
        )
    )
    prelude = _PRELUDE.pack(_OVERHEAD_BYTES + len(headers) + len(payload), len(headers))
    before = b"".join((prelude, _CHECKSUM.pack(crc32(prelude)), headers, payload))
    return before + _CHECKSUM.pack(crc32(before))


def _header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    length = len(raw_value).to_bytes(2, "big")
    return bytes((len(raw_name),)) + raw_name + bytes((_TEXT,)) + length + raw_value
