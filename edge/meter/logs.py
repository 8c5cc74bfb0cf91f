"""What functions logged: appended by each worker, read back by function in time order.

Neighbours: `invoke/` appends, `front/` reads; `log_records.py` has the format, `log_scan.py` the
reading, `cursor.py` a reader's place, `storage/segments.py` the files.
Invariants: a worker keeps a bounded number of segments, and its oldest lines go first; a cursor
shows no line twice and passes over none that is kept; lines of one invocation stay in order.
"""

import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from edge.meter.cursor import format_cursor, parse_cursor
from edge.meter.log_records import LogEntry, encode_records
from edge.meter.log_scan import merge_scans, scan_worker
from edge.model.errors import InvalidRequest
from edge.model.limits import MIB
from edge.model.result import LogLine
from edge.storage.segments import SegmentWriter, delete_segment, list_segments

SEGMENT_BYTES_MAX_DEFAULT = 4 * MIB
SEGMENTS_MAX_DEFAULT = 32
LINES_READ_MAX = 10_000


class LogStore:
    """One worker's appending end of the logs, and a view of all workers' lines."""

    def __init__(
        self,
        directory: Path,
        worker: str,
        *,
        segment_bytes_max: int = SEGMENT_BYTES_MAX_DEFAULT,
        segments_max: int = SEGMENTS_MAX_DEFAULT,
    ) -> None:
        """`worker` must be unique among the running processes; it keeps `segments_max` (1 or
        more) segments of `segment_bytes_max`. Raises StorageFailure."""
        self._directory = directory
        self._worker = worker
        self._segments = SegmentWriter(directory, worker, segment_bytes_max=segment_bytes_max)
        self._segments_max = max(1, segments_max)

    def append(
        self, function: str, request_id: str, lines: Sequence[LogLine], version: str
    ) -> None:
        """Keep the lines of an invocation; from the event loop only.

        Raises StorageFailure, and then only the first of the lines may be kept.
        """
        time_ms = time.time_ns() // 1_000_000
        for record in encode_records(time_ms, function, version, request_id, lines):
            if self._segments.append(record):
                self._drop_oldest()

    def read(
        self, function: str, after: str | None, limit: int
    ) -> tuple[tuple[LogEntry, ...], str]:
        """Up to `limit` of a function's lines behind a cursor (None: the oldest kept), and the
        cursor behind them; from any thread.

        One call reads a bounded part of the logs, so it may find no line and yet come further:
        a reader has caught up when the cursor stays the same. Raises InvalidRequest for a limit
        out of bounds or a text that is no cursor, and StorageFailure.
        """
        if not 1 <= limit <= LINES_READ_MAX:
            raise InvalidRequest(f"limit must be between 1 and {LINES_READ_MAX}, not {limit}")
        positions = parse_cursor(after or "")
        by_worker = groupby(list_segments(self._directory), lambda segment: segment.worker)
        scans = [
            scan_worker(function, list(segments), positions.get(worker), limit)
            for worker, segments in by_worker
        ]
        entries, behind = merge_scans(scans, limit)
        return entries, format_cursor(behind)

    def close(self) -> None:
        """Close this worker's segment; reading goes on working."""
        self._segments.close()

    def _drop_oldest(self) -> None:
        for segment in list_segments(self._directory, self._worker)[: -self._segments_max]:
            delete_segment(segment)
