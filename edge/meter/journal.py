"""The journal: one record per invocation, on disk before its response leaves.

A record is a CBOR array, its format number and then the members of `Usage` in their order;
segments are CBOR sequences (RFC 8742), so any CBOR tool reads them.

Neighbours: `invoke/` appends; `ledger.py` reads; `storage/segments.py` has the files.
Invariants: a record is whole or not there; once `append` returned, killing the process does not
lose it (a power cut may lose the last seconds); records of one segment are in order of completion,
whatever the clock did meanwhile.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cbor2

from edge.model.limits import MIB
from edge.model.outcome import Outcome
from edge.model.usage import Usage
from edge.storage.segments import (
    Page,
    Segment,
    SegmentWriter,
    Tail,
    list_segments,
    read_page,
)

FORMAT = 1
SEGMENT_BYTES_MAX_DEFAULT = 64 * MIB
# Beyond what any record holds; it keeps nonsense from overflowing a sum.
NUMBER_MAX = 2**48

# Format and time, five texts, nine numbers, the calls: `Usage` as CBOR has it.
_ITEM_TYPES = (int, int, *(str,) * 5, *(int,) * 9, dict)
_OUTCOME = 1 + Usage._fields.index("outcome")


class Journal:
    """One worker's appending end of the journal; used from its event loop only."""

    def __init__(
        self,
        directory: Path,
        worker: str,
        *,
        segment_bytes_max: int = SEGMENT_BYTES_MAX_DEFAULT,
    ) -> None:
        """`worker` must be unique among the running processes. Raises StorageFailure."""
        self._segments = SegmentWriter(directory, worker, segment_bytes_max=segment_bytes_max)

    def append(self, usage: Usage) -> None:
        """Write one record (2 µs). Raises StorageFailure, and then nothing of it is kept."""
        self._segments.append(cbor2.dumps((FORMAT, *usage)))

    def close(self) -> None:
        """Close the segment."""
        self._segments.close()


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that hold no whole record: the last one's beginning (`torn`, after a kill or while
    it is being written), or damage, or records of a newer edge."""

    segment: str
    offset: int
    size_bytes: int
    torn: bool


def read_records(directory: Path, report: Callable[[Gap], object] | None = None) -> Iterator[Usage]:
    """Every record of the journal, by worker, then in order of completion.

    A gap ends its segment; it is reported, and the next segment follows. Raises StorageFailure.
    """
    for segment in list_segments(directory):
        offset, more = 0, True
        while more:
            page = read_usages(segment, offset)
            yield from page.items
            offset, more = page.end, page.tail is Tail.MORE
        if report is not None and (gap := find_gap(segment, page)) is not None:
            report(gap)


def read_usages(segment: Segment, offset: int) -> Page[Usage]:
    """A page of records from `offset` on. Raises StorageFailure."""
    return read_page(segment, offset, _decode)


def find_gap(segment: Segment, page: Page[Usage]) -> Gap | None:
    """The gap behind a page, if there is one."""
    if page.tail not in (Tail.TORN, Tail.DAMAGED):
        return None
    return Gap(segment.name, page.end, page.unread_bytes, page.tail is Tail.TORN)


def _decode(item: object) -> Usage:
    """The record of a CBOR item; ValueError if it is none of this format."""
    if not isinstance(item, list) or tuple(map(type, item)) != _ITEM_TYPES or item[0] != FORMAT:
        raise ValueError("not a usage record of this format")
    item[_OUTCOME] = Outcome(item[_OUTCOME])
    usage = Usage(*item[1:])
    numbers = (usage.time_ms, usage.fuel, usage.billed_ms, usage.memory_mb * usage.billed_ms)
    if min(numbers) < 0 or max(numbers) > NUMBER_MAX:
        raise ValueError("a number no record can have")
    return usage
