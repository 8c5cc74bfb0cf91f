"""Where totals of usage are kept: the protocol and its guarantees.

Neighbours: `meter/ledger.py` holds it and knows the journal; `sqlite/usage.py` is the backend.
Invariant: a journal segment's bytes are counted once. The totals of a segment and how far it was
consumed change in one transaction, and only from where the caller believes them to be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class Tally(NamedTuple):
    """Sums over some records, all integers, so that no order of adding changes them.

    `requests` ran and are charged, `errors` of them ended otherwise than `ok`; `rejected` never
    ran. `megabyte_ms` is the sum of memory × billed time.
    """

    requests: int = 0
    errors: int = 0
    rejected: int = 0
    billed_ms: int = 0
    megabyte_ms: int = 0
    fuel: int = 0


Grouping = Literal["function", "day"]
"""What one row of totals stands for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a segment was consumed; an archived one is done with and may be deleted."""

    consumed_bytes: int = 0
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which totals: of one function or all, from day to day inclusive (days since 1970, UTC)."""

    function: str | None = None
    since_day: int | None = None
    until_day: int | None = None


TallyKey = tuple[str, int]
"""A function's name and a day since 1970-01-01 UTC."""


class UsageStore(Protocol):
    """Tallies by journal segment, function and day. Every method raises StorageFailure."""

    def progress(self) -> dict[str, Progress]:
        """How far each known segment was consumed."""

    def add(self, segment: str, start: int, end: int, tallies: Mapping[TallyKey, Tally]) -> bool:
        """Add what the bytes from `start` to `end` of a segment hold, in one transaction.

        False, and nothing changes, unless exactly `start` bytes had been consumed before.
        """

    def archive(self, segment: str, end: int) -> bool:
        """Fold the segment's tallies into those that no longer need their segment.

        False, and nothing changes, unless exactly `end` bytes had been consumed.
        """

    def forget(self, segment: str) -> None:
        """Drop the progress of an archived segment whose file is gone."""

    def reset(self) -> None:
        """Drop all tallies and progress but those of archived segments."""

    def totals(
        self, grouping: Grouping, selection: Selection, limit: int
    ) -> tuple[tuple[str | int, Tally], ...]:
        """Up to `limit` sums by function name or day, in its order."""
