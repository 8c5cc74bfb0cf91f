"""Reading logs on from a position: one worker's segments first, then all workers merged by time.

Neighbours: `logs.py` starts a read; `cursor.py` has the positions, `log_records.py` the records.
Invariants: a worker's lines come in the order they were appended, even when its clock was set
back; a line of one worker waits while another may still have an earlier one unread; whoever goes
on from the resulting positions sees every line once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice, takewhile
from typing import NamedTuple

from edge.meter.cursor import Position
from edge.meter.log_records import LogEntry, LogRecord, decode_record
from edge.storage.segments import Page, Segment, Tail, read_page

# How far one read goes in each worker's segments; passing over a page of 1 MiB takes 5 to 30 ms.
PAGES_PER_SCAN_MAX = 4


class FoundLine(NamedTuple):
    """A line of the function asked for, and where its worker's scan stands behind it.

    `order_ms` is when its record was appended, or an earlier one of that worker if that was later.
    """

    order_ms: int
    worker: str
    behind: Position
    entry: LogEntry


@dataclass(slots=True)
class Scan:
    """What a look at one worker's segments found, from `start` to `end`.

    `more` says that it stopped early; lines behind `end` are not before `until_ms` then.
    """

    worker: str
    start: Position
    end: Position
    until_ms: int = 0
    more: bool = False
    found: list[FoundLine] = field(default_factory=list)

    def lines(self, horizon_ms: int | None) -> Iterator[FoundLine]:
        """The lines found that are not after the horizon."""
        if horizon_ms is None:
            return iter(self.found)
        return takewhile(lambda line: line.order_ms <= horizon_ms, self.found)

    def position_behind(self, taken: int) -> Position:
        """Where to go on when so many of the lines found were given out."""
        if taken == len(self.found):
            return self.end
        return self.found[taken - 1].behind if taken else self.start


def scan_worker(
    function: str, segments: Sequence[Segment], position: Position | None, lines_max: int
) -> Scan:
    """Look for a function's lines in one worker's segments (oldest first, one at least).

    Stops behind the record that brings `lines_max` lines, and after PAGES_PER_SCAN_MAX pages.
    Raises StorageFailure.
    """
    ahead, start = _find_start(segments, position)
    scan = Scan(segments[0].worker, start, start)
    for _ in range(PAGES_PER_SCAN_MAX):
        segment = ahead[0]
        page = read_page(segment, scan.end.offset, decode_record)
        full = _take(scan, function, segment, page, lines_max)
        if not full and page.tail is not Tail.MORE:
            if len(ahead) == 1:
                scan.more = False
                return scan
            # What is torn or damaged in a segment that is no longer written to, stays so.
            ahead = ahead[1:]
            scan.end = Position(ahead[0].sequence)
        scan.more = True
        if full:
            return scan
    return scan


def merge_scans(
    scans: Sequence[Scan], limit: int
) -> tuple[tuple[LogEntry, ...], dict[str, Position]]:
    """Up to `limit` lines of all workers in time order, and where to go on."""
    # A worker that stopped early may have lines that belong before another's.
    horizon_ms = min((scan.until_ms for scan in scans if scan.more), default=None)
    merged = merge(*(scan.lines(horizon_ms) for scan in scans), key=lambda line: line.order_ms)
    entries: list[LogEntry] = []
    taken = {scan.worker: 0 for scan in scans}
    for line in islice(merged, limit):
        entries.append(line.entry)
        taken[line.worker] += 1
    behind = {scan.worker: scan.position_behind(taken[scan.worker]) for scan in scans}
    return tuple(entries), behind


def _find_start(
    segments: Sequence[Segment], position: Position | None
) -> tuple[Sequence[Segment], Position]:
    """The segments from a position on; from the oldest if its own is gone, or never was."""
    for index, segment in enumerate(segments):
        if position is not None and segment.sequence >= position.sequence:
            same = segment.sequence == position.sequence
            return segments[index:], position if same else Position(segment.sequence)
    return segments, Position(segments[0].sequence)


def _take(
    scan: Scan, function: str, segment: Segment, page: Page[LogRecord], lines_max: int
) -> bool:
    """Add a page's lines to the scan; True once there are `lines_max` of them."""
    begin, first = scan.end.offset, scan.end.line
    for record, end in zip(page.items, page.ends, strict=True):
        scan.until_ms = max(scan.until_ms, record.time_ms)
        if record.function == function:
            entries = record.entries()
            behind = [Position(segment.sequence, begin, line) for line in range(1, len(entries))]
            behind.append(Position(segment.sequence, end))
            for line in range(first, len(entries)):
                found = FoundLine(scan.until_ms, scan.worker, behind[line], entries[line])
                scan.found.append(found)
            if len(scan.found) >= lines_max:
                scan.end = Position(segment.sequence, end)
                return True
        begin, first = end, 0
    if page.items:
        scan.end = Position(segment.sequence, page.end)
    return False
