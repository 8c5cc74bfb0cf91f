"""CBOR as RFC 8949 has it, for tests: what is well-formed, and the many ways to write one value.

Written from the RFC and apart from any library, so that an SDK's decoder is held against the
standard's own words: `is_well_formed` follows appendix C, and `encodings` draws any allowed form.
"""

import struct
from typing import Any

import cbor2
from hypothesis import strategies as st

_BREAK = 0xFF


def is_well_formed(data: bytes, depth_max: int) -> bool:
    """Whether `data` is exactly one well-formed item with at most `depth_max` levels below it."""
    try:
        return _item_end(data, 0, depth_max) == len(data)
    except (IndexError, ValueError):
        return False


def _item_end(data: bytes, at: int, depth: int) -> int:
    if depth < 0:
        raise ValueError("nested too deeply")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    argument = info
    if 24 <= info <= 27:
        width = 1 << (info - 24)
        if at + width > len(data):
            raise ValueError("the head is cut")
        argument = int.from_bytes(data[at : at + width], "big")
        at += width
    elif info in (28, 29, 30):
        raise ValueError("reserved")
    if info == 31:
        return _indefinite_end(data, at, major, depth)
    if major in (2, 3):
        if argument > len(data) - at:
            raise ValueError("the string is cut")
        return at + argument
    if major in (4, 5):
        for _ in range(argument * (major - 3)):
            at = _item_end(data, at, depth - 1)
    if major == 6:
        at = _item_end(data, at, depth - 1)
    if major == 7 and info == 24 and argument < 32:
        raise ValueError("a simple value in too long a form")
    return at


def _indefinite_end(data: bytes, at: int, major: int, depth: int) -> int:
    if major not in (2, 3, 4, 5):
        raise ValueError("no indefinite form")
    items = 0
    while data[at] != _BREAK:
        if major in (2, 3):
            if data[at] >> 5 != major or data[at] & 31 == 31:
                raise ValueError("a chunk of another kind")
            at = _item_end(data, at, 0)
        else:
            at = _item_end(data, at, depth - 1)
        items += 1
    if major == 5 and items % 2:
        raise ValueError("a key without a value")
    return at + 1


def values(allow_infinity: bool = True) -> st.SearchStrategy[Any]:
    """Values with an exact counterpart in the SDKs: integers of 64 bits, no NaN, text keys."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(min_value=-(2**63), max_value=2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=allow_infinity)
        | st.text()
        | st.binary()
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )


@st.composite
def encodings(draw: st.DrawFn, value: Any) -> bytes:
    """One of the well-formed encodings of `value`: long heads, indefinite lengths, chunks, tags."""
    encoded = draw(_untagged(value))
    return b"\xd9\xd9\xf7" + encoded if draw(st.booleans()) else encoded  # self-described CBOR


@st.composite
def _untagged(draw: st.DrawFn, value: Any) -> bytes:
    if isinstance(value, bool) or value is None:
        return cbor2.dumps(value)
    if isinstance(value, int):
        return draw(_head(0, value) if value >= 0 else _head(1, -1 - value))
    if isinstance(value, float):
        return draw(st.sampled_from([cbor2.dumps(value, canonical=True), cbor2.dumps(value)]))
    if isinstance(value, (bytes, str)):
        return draw(_string(value))
    major, parts = (4, value) if isinstance(value, list) else (5, _pairs(value))
    content = b"".join(draw(encodings(part)) for part in parts)
    if draw(st.booleans()):
        return bytes([major << 5 | 31]) + content + b"\xff"
    return draw(_head(major, len(value))) + content


@st.composite
def _string(draw: st.DrawFn, value: bytes | str) -> bytes:
    major, size = (2, len(value)) if isinstance(value, bytes) else (3, len(value))
    if not draw(st.booleans()):
        data = _utf8(value)
        return draw(_head(major, len(data))) + data
    cut = draw(st.integers(0, size))
    chunks = [_utf8(value[:cut]), _utf8(value[cut:])]
    content = b"".join(draw(_head(major, len(chunk))) + chunk for chunk in chunks)
    return bytes([major << 5 | 31]) + content + b"\xff"


@st.composite
def _head(draw: st.DrawFn, major: int, argument: int) -> bytes:
    """A head in its shortest form or any longer one."""
    shortest = 0 if argument < 24 else next(n for n in range(4) if argument < 1 << (8 << n)) + 1
    form = draw(st.integers(shortest, 4))
    if form == 0:
        return bytes([major << 5 | argument])
    return struct.pack(">B" + "BHIQ"[form - 1], major << 5 | (23 + form), argument)


def _utf8(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _pairs(mapping: dict[str, Any]) -> list[Any]:
    return [part for pair in mapping.items() for part in pair]
