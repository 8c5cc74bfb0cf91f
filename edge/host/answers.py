"""What a host call answers: `{"ok": value}` or `{"error": {"code", "message"}}`, in CBOR.

Neighbours: operations raise `CallError` or answer with `ok`; `calls.py` sends the bytes back.
Invariant: an answer is always one well-formed CBOR map with exactly one of the two keys.
"""

from enum import StrEnum

from edge.model import cbor
from edge.storage.kv import Entry


class Code(StrEnum):
    """Why a call failed; guests compare these words."""

    DENIED = "denied"
    INVALID_REQUEST = "invalid_request"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"


class CallError(Exception):
    """An operation's refusal; `message` goes to the guest, so it names nothing of the host."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def ok(value: object) -> bytes:
    """The answer of a call that did what it was asked."""
    return _OK_HEAD + cbor.encode(value)


def ok_entry(entry: Entry) -> bytes:
    """`{"ok": {"value", "version", "expiresMs"?}}`, with the stored bytes put in as they are."""
    about = {"version": entry.version}
    if entry.expires_ms is not None:
        about["expiresMs"] = entry.expires_ms
    # A map of n + 1 entries: n encoded ones after a head that counts one more.
    encoded = cbor.encode(about)
    head = bytes((encoded[0] + 1,))
    return _OK_HEAD + head + _VALUE_KEY + entry.value + encoded[1:]


def failed(error: CallError) -> bytes:
    """The answer of a call that failed."""
    text = error.message.encode("utf-8", "replace").decode()
    return cbor.encode({"error": {"code": error.code.value, "message": text}})


_OK_HEAD = b"\xa1" + cbor.encode("ok")
_VALUE_KEY = cbor.encode("value")
