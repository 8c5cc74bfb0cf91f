"""Why a message or a connection is not taken, and the answer that says so.

Neighbours: raised wherever a message is read; `connection.py` answers, once, and closes.
Invariant: a refusal says nothing of what was sent but what kind of fault it has.
"""

from edge.front.answers import RETRY_AFTER_S_DEFAULT, Answer, framed
from edge.front.documents import json_bytes
from edge.model.ids import new_request_id


class Refusal(Exception):
    """A status, a stable code and a text for the peer; 429 and 503 say when to try again."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def malformed(what: str) -> Refusal:
    """The message is not HTTP/1.1, or could be read in two ways."""
    return Refusal(400, "invalid_request", what)


def unsupported(what: str) -> Refusal:
    """The message is well-formed, and asks for what this door does not do."""
    return Refusal(501, "unsupported", what)


def too_late(what: str) -> Refusal:
    """The peer took longer than it may."""
    return Refusal(408, "request_timeout", what)


def too_many(what: str) -> Refusal:
    """The door has no room for it now."""
    return Refusal(503, "overloaded", what)


def body_no_room() -> Refusal:
    """As many bodies are being read as the host has memory for."""
    return too_many("this host reads as many bodies as it has room for; try again")


def body_too_large(bytes_max: int) -> Refusal:
    """The body is over the limit."""
    return Refusal(
        413, "payload_too_large", f"the request body is over {bytes_max} bytes, the most taken here"
    )


def refusal_answer(refusal: Refusal) -> Answer:
    """The refusal as every error of the data plane is told."""
    request_id = new_request_id()
    headers = [
        (b"x-edge-request-id", request_id.encode()),
        (b"content-type", b"application/json"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if refusal.status in (429, 503):
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S_DEFAULT))
    error = {"code": refusal.code, "message": refusal.message, "requestId": request_id}
    return framed(refusal.status, headers, json_bytes({"error": error}))
