"""What every door makes of what it saw, before anything of ours looks at it.

Neighbours: `front/` and `sources/` build events; `invoke/` takes them.
Invariant: an event names one function and carries one payload; it is never changed.
"""

from enum import StrEnum
from typing import NamedTuple

from edge.model.ids import LATEST


class Source(StrEnum):
    """The door an event came through."""

    HTTP = "http"
    INVOKE = "invoke"


class Document:
    """A payload that is written out only for who asks for it, and how: most guests want CBOR."""

    __slots__ = ()

    def plain(self) -> object:
        """The value itself."""
        raise NotImplementedError

    def cbor(self) -> bytes:
        """The value in CBOR."""
        raise NotImplementedError


class Event(NamedTuple):
    """One thing that happened, for one function; a named tuple because every request makes one.

    `payload` is a CBOR/JSON value in Lambda's documented shape (for `Source.HTTP`: payload 2.0,
    its body a byte string), and `given` that value or the document that writes it. `bytes_in` is
    the size as received. `pin` is the version its door drew or its caller named, which stands while
    an alias leads there.
    """

    function: str
    given: object
    request_id: str
    source: Source = Source.INVOKE
    qualifier: str = LATEST
    bytes_in: int = 0
    traceparent: str | None = None
    client_context: object = None
    pin: str = ""

    @property
    def payload(self) -> object:
        """What happened."""
        given = self.given
        return given.plain() if isinstance(given, Document) else given
