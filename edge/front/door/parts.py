"""A connection whose answers may come in parts: of a known length, in chunks, or up to the end.

Neighbours: `asgi.py` and `functions.py` are such; `writing.py` frames.
Invariant: an answer in parts that is not whole ends its connection before it could look so.
"""

from edge.front.answers import Answer
from edge.front.door.connection import Connection
from edge.front.door.writing import CLOSE, reset, response_head


class PartedConnection(Connection):
    """See above."""

    __slots__ = ()

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads what is written."""
        return self._writable or self._transport is None

    @property
    def will_close(self) -> bool:
        """Whether this is the connection's last answer."""
        return self._closes or self._door.stopping

    def closes_after(self) -> None:
        """Close behind this answer."""
        self._closes = True

    def write_head(self, answer: Answer, *beginning: bytes) -> None:
        """Begin an answer that comes in parts. Raises ValueError for fields that are none."""
        self._closes = self.will_close
        ending = CLOSE if self._closes else b""
        head = response_head(answer.status, answer.headers, b"", self._door.date, ending)
        self.write(head, *beginning)

    def write(self, *data: bytes) -> None:
        """Write parts of an answer."""
        if self._transport is not None and not self._closing:
            self.send_held()
            self._transport.writelines(data)

    def end_parts(self) -> None:
        """The answer is whole."""
        self._head = None
        if self._closes or self._body is not None:
            self.close()

    def cut_off(self) -> None:
        """The answer stays a part. What was written of it leaves first where its framing shows
        that more was to come; up to the end of a connection only a reset shows it."""
        self._closes = True
        head, self._head = self._head, None
        if head is None or head.version != "1.0":
            self.close()
        elif self._transport is not None:
            self.send_held()
            reset(self._transport)
