"""An answer as the bytes of an HTTP/1.1 response, head and body in one piece.

Neighbours: `connection.py` writes what comes out of here.
Invariant: a head has as many lines as fields: no field can smuggle in another.
"""

from email.utils import formatdate
from http import HTTPStatus
from time import time

from edge.front.answers import Answer

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_CLOSE = b"connection: close\r\n"


class Clock:
    """The Date field, formatted once a second instead of 8 µs a response."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        """`date: …` with its line end."""
        second = int(time())
        if second != self._second:
            self._second = second
            self._line = b"date: %s\r\n" % formatdate(second, usegmt=True).encode()
        return self._line


def response(answer: Answer, clock: Clock, *, head_only: bool, close: bool) -> bytes:
    """The whole response. Raises ValueError when a header field is more than one line."""
    fields = b"".join([b"%s: %s\r\n" % field for field in answer.headers])
    if fields.count(b"\n") != len(answer.headers) or fields.count(b"\r") != len(answer.headers):
        raise ValueError("a header field has a line end in it")
    status = b"HTTP/1.1 %d %s\r\n" % (answer.status, _REASONS.get(answer.status, b""))
    ending = _CLOSE if close else b""
    body = b"" if head_only else answer.body
    return b"".join((status, fields, clock.line(), ending, b"\r\n", body))
