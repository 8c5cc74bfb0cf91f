"""A log record: the lines of one invocation, or a run of them when there are many.

It is a CBOR array: format, time in Unix ms, function, version, request id, and the lines as a byte
string of CBOR, so that a reader passes over other functions' lines undecoded.

Neighbours: `logs.py` writes records, `log_scan.py` reads them.
Invariant: a record fits an item of a segment, whatever was logged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cbor2

from edge.model.cbor import CborError, decode
from edge.model.result import LogLine

FORMAT = 1
# Together 64 Ki characters of up to 4 bytes, and a line's head each: well under ITEM_BYTES_MAX.
LINES_PER_RECORD_MAX = 1_024
CHARACTERS_PER_RECORD_MAX = 65_536

_ITEM_TYPES = (int, int, str, str, str, bytes)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line as it is read back: Unix ms, whose it was, level (0 trace … 4 error), text."""

    time_ms: int
    request_id: str
    version: str
    level: int
    message: str


class LogRecord(NamedTuple):
    """A record's members behind its format; `lines` are still CBOR."""

    time_ms: int
    function: str
    version: str
    request_id: str
    lines: bytes

    def entries(self) -> list[LogEntry]:
        """The lines; none if they cannot be decoded, which only damage can cause."""
        try:
            lines = decode(self.lines)
        except CborError:
            return []
        entries = []
        for line in lines if isinstance(lines, list) else ():
            match line:
                case [int(time_ms), int(level), str(message)]:
                    entry = LogEntry(time_ms, self.request_id, self.version, level, message)
                    entries.append(entry)
        return entries


def encode_records(
    time_ms: int, function: str, version: str, request_id: str, lines: Sequence[LogLine]
) -> Iterator[bytes]:
    """The records of an invocation's lines, in order; none if it logged nothing."""
    for run in _runs(lines):
        text = cbor2.dumps(run)
        yield cbor2.dumps((FORMAT, time_ms, function, version, request_id, text))


def decode_record(item: object) -> LogRecord:
    """The record of a CBOR item; ValueError if it is none of this format."""
    if not isinstance(item, list) or tuple(map(type, item)) != _ITEM_TYPES or item[0] != FORMAT:
        raise ValueError("not a log record of this format")
    return LogRecord._make(item[1:])


def _runs(lines: Sequence[LogLine]) -> Iterator[list[tuple[int, int, str]]]:
    """The lines in lists that each fit a record; a line too long for one is cut in pieces."""
    run: list[tuple[int, int, str]] = []
    characters = 0
    for line in lines:
        for piece in _pieces(line.message):
            characters += len(piece)
            if len(run) == LINES_PER_RECORD_MAX or characters > CHARACTERS_PER_RECORD_MAX:
                yield run
                run, characters = [], len(piece)
            run.append((line.time_ms, line.level, piece))
    if run:
        yield run


def _pieces(message: str) -> Sequence[str]:
    if len(message) <= CHARACTERS_PER_RECORD_MAX:
        return (message,)
    starts = range(0, len(message), CHARACTERS_PER_RECORD_MAX)
    return [message[start : start + CHARACTERS_PER_RECORD_MAX] for start in starts]
