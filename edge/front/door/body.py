"""The body of a request: where it ends, and its pieces without what frames them.

Neighbours: `head.py` says how long a body is; `connection.py` feeds its bytes.
Source: RFC 9112, sections 6 and 7.1. Chunk extensions that are well-formed are read over: nobody
here knows any. Trailers are kept apart, as one merged into the fields could change the message.
Invariant: a body ends where its framing says and nowhere else; framing is bounded beside content.
"""

import re
from typing import Protocol

from edge.front.door.refusals import Refusal, malformed
from edge.model.limits import KIB

CHUNKS_FREE = 1_024
CHUNK_BYTES_AVERAGE_MIN = 16
"""Beyond the first chunks a body may not come in pieces smaller than this: each costs 1.5 µs."""
EXTENSION_BYTES_MAX = 16 * KIB
TRAILER_BYTES_MAX = 8 * KIB
CHUNKS_PER_READ = 32
"""How many chunks are read before others have their turn."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_EXTENSION = rb";" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:" + _EXTENSION + rb")*)\r\n")
_CHUNK_LINE_BYTES_MAX = 1 * KIB
# What a line may begin with while the rest of it has not come.
_CHUNK_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{1,16}(?:;[\t\x20-\x7e\x80-\xff]*)?\r?")
_TRAILERS = re.compile(rb"(?:" + _TOKEN + rb":[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
_LINE_END = b"\r\n"
_SIZE, _DATA, _DATA_END, _TRAILER = range(4)


class Body(Protocol):
    """A body being read."""

    done: bool
    trailers: bytes
    """Whole lines, once it is done."""

    def read(self, buffer: bytes, at: int, pieces: list[bytes]) -> int:
        """Add content of `buffer` from `at` on to `pieces`; where the unread part begins.

        Reads as far as it can or will: when nothing is read, more must come first. Raises Refusal.
        """


class SizedBody:
    """A body of so many bytes."""

    __slots__ = ("_left", "done")
    trailers = b""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = False

    def read(self, buffer: bytes, at: int, pieces: list[bytes]) -> int:
        """See Body."""
        piece = buffer[at : at + self._left]
        if piece:
            pieces.append(piece)
            self._left -= len(piece)
        self.done = not self._left
        return at + len(piece)


class ChunkedBody:
    """A body in chunks."""

    __slots__ = (
        "_chunks",
        "_content_bytes",
        "_extension_bytes",
        "_left",
        "_state",
        "done",
        "trailers",
    )

    def __init__(self) -> None:
        self._state = _SIZE
        self._left = 0
        self._chunks = 0
        self._content_bytes = 0
        self._extension_bytes = 0
        self.trailers = b""
        self.done = False

    def read(self, buffer: bytes, at: int, pieces: list[bytes]) -> int:
        """See Body."""
        most = len(pieces) + CHUNKS_PER_READ
        while len(pieces) < most:
            if self._state == _DATA:
                piece = buffer[at : at + self._left]
                if not piece:
                    break
                pieces.append(piece)
                self._left -= len(piece)
                at += len(piece)
                if not self._left:
                    self._state = _DATA_END
                continue
            read = self._line(buffer, at)
            at += read
            if not read or self.done:
                break
        return at

    def _line(self, buffer: bytes, at: int) -> int:
        """Read a line of framing; its length, or 0 when it is not whole."""
        if self._state == _SIZE:
            return self._size_line(buffer, at)
        if self._state == _TRAILER:
            return self._trailers(buffer, at)
        if buffer.startswith(_LINE_END, at):
            self._state = _SIZE
            return len(_LINE_END)
        if not _LINE_END.startswith(buffer[at : at + len(_LINE_END)]):
            raise malformed("a chunk is longer than its size says")
        return 0

    def _size_line(self, buffer: bytes, at: int) -> int:
        line = _CHUNK_LINE.match(buffer, at, at + _CHUNK_LINE_BYTES_MAX)
        if line is None:
            begun = buffer[at : at + _CHUNK_LINE_BYTES_MAX]
            whole = len(begun) == _CHUNK_LINE_BYTES_MAX
            if whole or (begun and _CHUNK_LINE_BEGUN.fullmatch(begun) is None):
                raise malformed("a chunk's size or extension is not well-formed")
            return 0
        self._extension_bytes += len(line[2])
        if self._extension_bytes > EXTENSION_BYTES_MAX:
            raise malformed("the chunk extensions are longer than anything could mean")
        self._left = int(line[1], 16)
        self._state = _DATA if self._left else _TRAILER
        self._count(self._left)
        return line.end() - at

    def _count(self, size: int) -> None:
        self._chunks += 1
        self._content_bytes += size
        if self._chunks > CHUNKS_FREE + self._content_bytes // CHUNK_BYTES_AVERAGE_MIN:
            raise malformed("the body comes in pieces that are too small")

    def _trailers(self, buffer: bytes, at: int) -> int:
        found = _TRAILERS.match(buffer, at, at + TRAILER_BYTES_MAX)
        if found is not None:
            self.done = True
            self.trailers = found[0]
            return found.end() - at
        rest = buffer[at : at + TRAILER_BYTES_MAX]
        if b"\r\n\r\n" in rest or rest.startswith(_LINE_END):
            raise malformed("the trailers are not well-formed")
        if len(rest) == TRAILER_BYTES_MAX:
            raise Refusal(431, "headers_too_large", "the trailers are too long")
        if _BARE.search(rest):
            raise malformed("the trailers are not well-formed")
        return 0
