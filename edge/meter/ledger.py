"""The ledger: totals by function and by day, rolled up from the journal, each record once.

Neighbours: `journal.py` gives the records, `storage/usage.py` keeps the sums, `bill.py` prices
them; `front/` and the command line show them.
Invariants: totals are the sums over the records that were rolled up, however often a roll-up was
killed or two ran at once; a segment is deleted only when its sums are kept without it.

A record belongs to the UTC day of its own `time_ms`, so a clock set back moves no record twice.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from edge.meter.bill import NEVER_RAN, Tariff, gb_seconds
from edge.meter.journal import Gap, find_gap, read_usages
from edge.model.outcome import Outcome
from edge.model.usage import Usage
from edge.storage.segments import (
    Segment,
    Tail,
    delete_segment,
    give_way,
    list_segments,
    sync_segment,
)
from edge.storage.usage import (
    Grouping,
    Progress,
    Selection,
    Tally,
    TallyKey,
    UsageStore,
)

SEGMENTS_KEPT_DEFAULT = 16
TOTALS_MAX = 10_000
DAY_MS = 86_400_000

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """One row of totals, of a function or of a day (UTC); the other one is None.

    `requests` are charged, and `errors` of them ended otherwise than `ok`; `rejected` never ran.
    """

    function: str | None
    day: date | None
    requests: int
    errors: int
    rejected: int
    billed_ms: int
    gb_seconds: Decimal
    cost: Decimal
    fuel: int


@dataclass(frozen=True, slots=True)
class Rollup:
    """What a roll-up did: records counted, and what of the journal it could not read."""

    records: int
    gaps: tuple[Gap, ...]


class Ledger:
    """Totals of one host's journal. Any process may roll up; one at a time gets on faster.

    Everything here reads files and commits: keep it off an event loop. Every method raises
    StorageFailure.
    """

    def __init__(
        self,
        directory: Path,
        store: UsageStore,
        tariff: Tariff,
        *,
        segments_kept: int = SEGMENTS_KEPT_DEFAULT,
    ) -> None:
        """`directory` is the journal's. Of each worker's segments `segments_kept` (1 or more, the
        newest) stay on disk; older ones are deleted once they are rolled up."""
        self._directory = directory
        self._store = store
        self._tariff = tariff
        self._segments_kept = max(1, segments_kept)

    def rollup(self) -> Rollup:
        """Count everything that was journalled before this call."""
        # Asked for before the files are listed: what is known here and not listed was deleted.
        progress = self._store.progress()
        segments = list_segments(self._directory)
        self._settle(progress, segments)
        records = 0
        gaps: list[Gap] = []
        for _, of_worker in groupby(segments, key=lambda segment: segment.worker):
            old_to_new = list(of_worker)
            for index, segment in enumerate(old_to_new):
                if progress.get(segment.name, Progress()).archived:
                    continue
                counted, consumed_bytes, gap = self._consume(segment)
                records += counted
                newest = index == len(old_to_new) - 1
                if gap is not None and not (newest and gap.torn):
                    gaps.append(gap)
                if index < len(old_to_new) - self._segments_kept:
                    self._retire(segment, consumed_bytes)
        return Rollup(records, tuple(gaps))

    def rebuild(self) -> Rollup:
        """Count the whole journal anew; totals of deleted segments are kept as they are.

        While it runs, totals are too low.
        """
        progress = self._store.progress()
        self._settle(progress, list_segments(self._directory))
        self._store.reset()
        return self.rollup()

    def totals(
        self,
        function: str | None = None,
        since: date | None = None,
        until: date | None = None,
        by: Grouping = "function",
    ) -> tuple[UsageTotal, ...]:
        """What was rolled up, of one function or all, from day to day inclusive; TOTALS_MAX rows
        at most, in order of function or day."""
        selection = Selection(function, _day_number(since), _day_number(until))
        rows = self._store.totals(by, selection, TOTALS_MAX)
        return tuple(self._price(key, tally) for key, tally in rows)

    def _consume(self, segment: Segment) -> tuple[int, int, Gap | None]:
        """Count a segment's new records: how many, up to which byte, and the gap behind them."""
        records = 0
        offset = self._store.progress().get(segment.name, Progress()).consumed_bytes
        while True:
            page = read_usages(segment, offset)
            if page.items:
                # A total must not outlive its records: they reach the disk first.
                sync_segment(segment)
                if self._store.add(segment.name, offset, page.end, tally(page.items)):
                    records += len(page.items)
                else:
                    # Another process counted them, or began a rebuild: go on from where it is.
                    progress = self._store.progress().get(segment.name, Progress())
                    if progress.archived:
                        return records, progress.consumed_bytes, None
                    offset = progress.consumed_bytes
                    continue
            offset = page.end
            if page.tail is not Tail.MORE:
                return records, offset, find_gap(segment, page)

    def _retire(self, segment: Segment, consumed_bytes: int) -> None:
        """Delete a segment whose sums are kept without it; killed in between, it is next time."""
        if self._store.archive(segment.name, consumed_bytes):
            delete_segment(segment)

    def _settle(self, progress: dict[str, Progress], segments: Iterable[Segment]) -> None:
        """Finish what a killed roll-up left, and keep the sums of files deleted by hand."""
        files = {segment.name: segment for segment in segments}
        for name, known in progress.items():
            if name in files:
                if known.archived:
                    delete_segment(files[name])
            elif known.archived or self._store.archive(name, known.consumed_bytes):
                self._store.forget(name)

    def _price(self, key: str | int, sums: Tally) -> UsageTotal:
        return UsageTotal(
            function=key if isinstance(key, str) else None,
            day=date.fromordinal(_EPOCH + key) if isinstance(key, int) else None,
            requests=sums.requests,
            errors=sums.errors,
            rejected=sums.rejected,
            billed_ms=sums.billed_ms,
            gb_seconds=gb_seconds(sums.megabyte_ms),
            cost=self._tariff.cost(sums.requests, sums.megabyte_ms),
            fuel=sums.fuel,
        )


def tally(usages: Iterable[Usage]) -> dict[TallyKey, Tally]:
    """The sums over some records, by function and day."""
    sums: defaultdict[TallyKey, list[int]] = defaultdict(lambda: [0] * len(Tally._fields))
    for done, usage in enumerate(usages, start=1):
        give_way(done)
        of_key = sums[usage.function, usage.time_ms // DAY_MS]
        for index, number in enumerate(_contribution(usage)):
            of_key[index] += number
    return {key: Tally(*numbers) for key, numbers in sums.items()}


def _contribution(usage: Usage) -> Tally:
    """What one record adds."""
    if usage.outcome in NEVER_RAN:
        return Tally(rejected=1)
    return Tally(
        requests=1,
        errors=int(usage.outcome is not Outcome.OK),
        billed_ms=usage.billed_ms,
        megabyte_ms=usage.memory_mb * usage.billed_ms,
        fuel=usage.fuel,
    )


def _day_number(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - _EPOCH
