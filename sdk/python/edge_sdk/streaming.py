"""Answers that leave piece by piece: an iterator that a handler returned, or a response's `body`.

Lambda's Python has none of its own; a generator is what Python calls such a thing.

Neighbours: `runtime.py` asks for each value that a handler returned; `host.py` sends.
Invariant: a piece is with the host before the next one is made; nothing is sent while priming.
"""

from collections.abc import Iterator

from edge_sdk import host

_TEXT = {"content-type": "text/plain; charset=utf-8"}


def sent(value: object) -> object:
    """The value; None once it was sent piece by piece."""
    if isinstance(value, dict):
        body = value.get("body")
        if "statusCode" not in value or not _is_iterator(body):
            return value
        head = {name: value[name] for name in ("statusCode", "cookies") if name in value}
        headers = {name: str(text) for name, text in (value.get("headers") or {}).items()}
        _send(body, {**head, "headers": headers})
        return None
    if not _is_iterator(value):
        return value
    _send(value, None)
    return None


def _is_iterator(value: object) -> bool:
    return hasattr(type(value), "__next__")


def _send(pieces: Iterator[bytes | str], head: dict[str, object] | None) -> None:
    """Send the head and the pieces; bare text has a head of its own."""
    try:
        if head is not None:
            host.send("response.start", head)
        for piece in pieces:
            if head is None:
                head = {"headers": _TEXT} if isinstance(piece, str) else {}
                if head:
                    host.send("response.start", head)
            if not isinstance(piece, str | bytes | bytearray | memoryview):
                raise TypeError(f"a piece is bytes or str, not {type(piece).__name__}")
            host.send("response.write", {"data": piece})
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
