"""The JSON that crosses between components and the host: the plain values of `cbor.py`, as text.

A byte string is written as an object with one key, `{"$bytes": "<base64>"}`, wherever a value may
stand, since text crosses a component's border in one piece and bytes one by one.

Neighbours: `sandbox/component/` seals events and reads answers with it, `host/wasi2/` host calls.
Invariant: hostile text ends in `JsonError`; what was decoded can be written as CBOR, and back.
"""

import json
import re
from base64 import b64decode, b64encode
from math import isinf
from typing import NoReturn

from edge.model.cbor import DEPTH_MAX, ITEMS_MAX

BYTES_KEY = "$bytes"

_INTEGER_MIN = -(1 << 64)
_INTEGER_MAX = (1 << 64) - 1
_LEAVES = frozenset({type(None), bool, str})
_FIGURES_SAFE = 15
"""Of an integer that every language's number holds."""
_LONG = b"0" * (_FIGURES_SAFE + 1)
_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" else 0 for byte in range(256))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


class JsonError(ValueError):
    """The text is not JSON of plain values, or the value cannot be written as such."""


def encode(value: object) -> str:
    """Write plain values (tuples as arrays). Raises JsonError, which names what does not fit."""
    try:
        text = _encoder.encode(value)
        text.encode()  # lone surrogates are no text that another program could read
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonError(f"cannot be written as JSON: {error}") from None
    return text


def mark(text: str) -> str:
    """A JSON text for a guest, with a space before it if any JSON parser reads all that it says.

    That is when no object in it is a byte string, and no number longer than a double is exact. To
    look for both takes the host 1 µs, and an interpreter inside a guest 40.
    """
    data = text.encode()
    is_plain = BYTES_KEY.encode() not in data and _LONG not in data.translate(_AS_ZEROS)
    return f" {text}" if is_plain else text


def decode(data: bytes) -> object:
    """Read one value from UTF-8. Raises JsonError.

    At most `ITEMS_MAX` items, nested at most `DEPTH_MAX` deep; no NaN or infinity, no integer
    over 64 bits.
    """
    if len(data) > ITEMS_MAX and not _has_few_items(data):
        raise JsonError(f"more than {ITEMS_MAX} items")
    try:
        value = _decoder.decode(data.decode())
    except RecursionError:
        raise JsonError(f"nested deeper than {DEPTH_MAX}") from None
    except ValueError as error:  # JSON and UTF-8 errors are both of this kind
        raise error if isinstance(error, JsonError) else JsonError(str(error)) from None
    value = _plain(value, DEPTH_MAX)
    if _SURROGATE.search(data):  # an escape may name half a character
        encode(value)
    return value


def _plain(value: object, depth_left: int) -> object:
    """Check numbers and depth, and turn `$bytes` objects into byte strings, in place."""
    if type(value) in _LEAVES:
        return value
    if type(value) is float:
        if isinf(value):
            raise JsonError("a number is too large for a float")
        return value
    if type(value) is int:
        if not _INTEGER_MIN <= value <= _INTEGER_MAX:
            raise JsonError("an integer is over 64 bits")
        return value
    if depth_left == 0 and value:
        raise JsonError(f"nested deeper than {DEPTH_MAX}")
    if type(value) is dict:
        if len(value) == 1 and BYTES_KEY in value:
            return _read_bytes(value[BYTES_KEY])
        for key, child in value.items():
            if type(child) is not str:
                value[key] = _plain(child, depth_left - 1)
    elif type(value) is list:
        for index, child in enumerate(value):
            if type(child) is not str:
                value[index] = _plain(child, depth_left - 1)
    return value


def _read_bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise JsonError(f"{BYTES_KEY} must be base64 text")
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise JsonError(f"{BYTES_KEY} is not base64: {error}") from None


def _write_bytes(value: object) -> dict[str, str]:
    if not isinstance(value, bytes | bytearray):
        raise TypeError(f"{type(value).__name__} is not a plain value")
    return {BYTES_KEY: b64encode(value).decode()}


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not a number of JSON")


def _has_few_items(data: bytes) -> bool:
    """Whether there are at most `ITEMS_MAX` items: each needs a comma or a bracket before it."""
    if _separators(data) <= ITEMS_MAX:
        return True
    return _separators(_STRING.sub(b"", data)) <= ITEMS_MAX


def _separators(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")


_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_write_bytes
)
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
