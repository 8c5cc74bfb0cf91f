"""What an initialiser writes: `edge.log` lines and its standard streams, bounded.

Neighbours: `imports` and `wasi` write it, `Snapshot.log` carries it to the deployer.
Invariant: it never keeps more than `bytes_max` bytes, whatever the guest writes.
"""

from dataclasses import dataclass

STDOUT_LEVEL = 2  # info
STDERR_LEVEL = 3  # warning


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `level` as the guest gave it to `edge.log`, or that of the stream."""

    level: int
    text: str


class InitLog:
    """Collects lines until it is full, then says so once and forgets the rest."""

    def __init__(self, bytes_max: int) -> None:
        self._room = bytes_max
        self._full = False
        self._lines: list[LogLine] = []
        self._partial: dict[int, bytearray] = {}

    def write_line(self, level: int, text: bytes) -> None:
        """Add one whole line; it costs its bytes and a newline."""
        if self._full:
            return
        self._full = len(text) >= self._room
        kept = text[: self._room]
        self._room -= len(kept) + 1
        self._lines.append(LogLine(level, kept.decode("utf-8", "replace")))

    def write_stream(self, level: int, data: bytes) -> None:
        """Add to a stream; what no newline ends waits for the rest of its line."""
        partial = self._partial.setdefault(level, bytearray())
        for place, piece in enumerate(data[: self._room + 1].split(b"\n")):
            if place:
                self.write_line(level, bytes(partial))
                partial.clear()
            partial += piece
        if len(partial) > self._room:
            self.write_line(level, bytes(partial))
            partial.clear()

    def close(self) -> tuple[LogLine, ...]:
        """All lines, unfinished ones too, with a note if some were left out."""
        for level, partial in sorted(self._partial.items()):
            if partial:
                self.write_line(level, bytes(partial))
        self._partial.clear()
        note = LogLine(STDERR_LEVEL, "the log is full; what came after was left out")
        return (*self._lines, *((note,) if self._full else ()))
