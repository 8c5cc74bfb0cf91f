"""JSON in and out, strictly: what is not JSON is refused, byte strings become base64.

Neighbours: every module of this room that reads or writes a document.
"""

import json
from base64 import b64decode, b64encode
from typing import NoReturn

from edge.model.errors import InvalidContent
from edge.model.limits import MIB

_BASE64_CHUNK_CHARS = 1 * MIB


def json_bytes(value: object) -> bytes:
    """`value` as compact UTF-8 JSON, byte strings inside it as base64 text.

    Raises ValueError for what JSON cannot say: NaN, other types, keys that are no text, cycles.
    """
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not expressible as JSON: {error}") from error


def parse_json(text: bytes) -> object:
    """The JSON value in `text`; raises InvalidContent.

    Python reads more than JSON allows: `NaN`, and halves of surrogate pairs that no UTF-8 or
    CBOR text can hold. Both are refused.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
        if b"\\ud" in text or b"\\uD" in text:
            json_bytes(value)
    except (ValueError, RecursionError) as error:
        raise InvalidContent(f"the body is not valid JSON: {error}") from error
    return value


def parse_object(text: bytes) -> dict[str, object]:
    """The JSON object in `text`; raises InvalidContent."""
    value = parse_json(text)
    if not isinstance(value, dict):
        raise InvalidContent("the body must be a JSON object")
    return value


def decode_base64(encoded: str) -> bytes:
    """The bytes in `encoded`, in steps short enough that other threads get their turn.

    Raises InvalidContent.
    """
    try:
        return b"".join(
            b64decode(encoded[at : at + _BASE64_CHUNK_CHARS], validate=True)
            for at in range(0, len(encoded), _BASE64_CHUNK_CHARS)
        )
    except ValueError as error:
        raise InvalidContent(f"not valid base64: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _base64(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_base64
)
