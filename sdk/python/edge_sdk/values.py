"""Python values as the JSON that crosses: bytes are `{"$bytes": "<base64>"}`.

Neighbours: `runtime.py` and `host.py` encode and decode with it.
"""

import base64
import json

_BYTES = "$bytes"


def decode(text: str) -> object:
    """The value of a JSON text. Without byte strings it costs no call per object.

    The host has looked already at a text that begins with a space.
    """
    if text.startswith(" ") or _BYTES not in text:
        return json.loads(text)
    return json.loads(text, object_hook=_revive)


def encode(value: object) -> str:
    """The JSON text of a value; raises TypeError or ValueError for what JSON cannot say."""
    text = json.dumps(
        value, default=_replace, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    if not text.isascii():
        text.encode()  # a lone surrogate must fail here: outside it would end the guest
    return text


def _revive(value: dict[str, object]) -> object:
    if len(value) == 1 and isinstance(coded := value.get(_BYTES), str):
        return base64.b64decode(coded)
    return value


def _replace(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
