"""What a guest logs in one invocation: lines, bounded in bytes, cut once and visibly.

Neighbours: `edge.log` and WASI's stdout and stderr write here; `invoke/` takes the lines.
Invariant: a buffer holds at most its bound, whatever is written, and writing never fails.
"""

from time import time_ns
from typing import TYPE_CHECKING

from edge.host.charges import FUEL_PER_BYTE, FUEL_PER_IMPORT
from edge.host.memory import Memory
from edge.model.limits import KIB
from edge.model.result import LogLine

if TYPE_CHECKING:
    from edge.host.session import Session

LOG_BYTES_MAX_DEFAULT = 256 * KIB
LINE_OVERHEAD_BYTES = 32
"""Counted for each line beyond its text, or empty lines would be free."""

LAST_WORDS_LINES = 8

LEVEL_INFO = 2
LEVEL_WARN = 3
LEVEL_MAX = 4

_NS_PER_MS = 1_000_000
_SIGN_BIT = 1 << 31


class LogBuffer:
    """The lines of one invocation, in the order they ended."""

    __slots__ = ("_bytes_left", "_bytes_max", "_lines", "_partial")

    def __init__(self, bytes_max: int = LOG_BYTES_MAX_DEFAULT) -> None:
        self._bytes_max = bytes_max
        self._bytes_left = bytes_max
        self._lines: list[LogLine] = []
        self._partial: dict[int, bytearray] | None = None

    @property
    def bytes_left(self) -> int:
        """How much may still be written; negative once the log is cut."""
        return self._bytes_left

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written."""
        return not self._lines and self._partial is None

    def last_words(self) -> str:
        """The end of what was written: the last lines, the unfinished one too."""
        lines = [line.message for line in self._lines[-LAST_WORDS_LINES:]]
        for partial in (self._partial or {}).values():
            lines.append(partial.decode("utf-8", "replace"))
        return "\n".join(lines)

    def clear(self) -> None:
        """Forget everything written so far."""
        self._bytes_left = self._bytes_max
        self._lines.clear()
        self._partial = None

    def append(self, level: int, text: bytes | bytearray) -> None:
        """Add one line. Bytes that are not UTF-8 are replaced; `level` is clamped to 0…4."""
        if self._bytes_left < 0:
            return
        self._bytes_left -= len(text) + LINE_OVERHEAD_BYTES
        if self._bytes_left >= 0:
            self._keep(level, text)
            return
        fitting = len(text) + self._bytes_left
        if fitting > 0:
            self._keep(level, text[:fitting])
        self._bytes_left = -1
        self._partial = None
        self._keep(LEVEL_WARN, b"the log is cut here: over %d bytes" % self._bytes_max)

    def write(self, level: int, data: bytes) -> None:
        """Add bytes of a stream; each newline ends a line, the rest waits for the next write."""
        if self._bytes_left < 0:
            return
        if self._partial is None:
            self._partial = {}
        partial = self._partial.setdefault(level, bytearray())
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            partial += data[begin:end]
            self.append(level, partial)
            if self._bytes_left < 0:
                return
            partial.clear()
            begin = end + 1
        partial += data[begin:]
        if len(partial) > self._bytes_left:
            self.append(level, partial)

    def lines(self) -> tuple[LogLine, ...]:
        """All lines, the unfinished ones too; call it when the guest has ended."""
        partials, self._partial = self._partial, None
        if partials:
            for level, partial in partials.items():
                if partial:
                    self.append(level, partial)
        return tuple(self._lines)

    def _keep(self, level: int, text: bytes | bytearray) -> None:
        message = text.decode("utf-8", "replace").removesuffix("\r")
        self._lines.append(LogLine(time_ns() // _NS_PER_MS, min(max(level, 0), LEVEL_MAX), message))


def write_log(session: "Session", memory: Memory, level: int, pointer: int, length: int) -> None:
    """The import `edge.log(level, ptr, len)`: one line. Raises MemoryFault."""
    session.charge(FUEL_PER_IMPORT)
    log = session.log
    kept = min(length, max(log.bytes_left, 0) + 1)  # one more, so that the cut is noticed
    if kept < length:
        memory.read(pointer + length - 1, 1)  # the end must lie inside, though it is not kept
    text = memory.read(pointer, kept)
    session.charge(FUEL_PER_BYTE * kept)
    if level & _SIGN_BIT:  # callers may hand over an i32 as unsigned
        level = 0
    log.append(level, text.removesuffix(b"\n"))
