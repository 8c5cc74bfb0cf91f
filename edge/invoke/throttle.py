"""Whether an event may run now: its function's concurrency and rate, and the host's concurrency.

Neighbours: `invoker.py` asks before it runs one; `occupancy.py` counts what runs,
`storage/buckets.py` what was let in.
Invariant: an event that is refused has taken nothing of its function's rate.
"""

from math import ceil
from zlib import crc32

from edge.invoke.occupancy import Occupancy
from edge.model.function import Version
from edge.model.outcome import Failure, Outcome
from edge.model.result import RATE_EXCEEDED, Refusal
from edge.storage.buckets import Buckets

RETRY_AFTER_S = 1
THROTTLED = Refusal(
    Outcome.THROTTLED,
    Failure("TooManyRequests", "the function runs as often as it may at once; try again"),
    RETRY_AFTER_S,
)
OVERLOADED = Refusal(
    Outcome.OVERLOADED,
    Failure("Overloaded", "this host runs as much as it can; try again"),
    RETRY_AFTER_S,
)
_TOO_OFTEN = Failure(RATE_EXCEEDED, "the function is called more often than it may be; try later")


class Throttle:
    """The limits of one host, seen from one worker."""

    def __init__(self, occupancy: Occupancy, rates: Buckets, concurrency_max: int) -> None:
        """`rates` has a bucket for each function's slot."""
        self._occupancy = occupancy
        self._rates = rates
        self._concurrency_max = concurrency_max

    def admit(self, version: Version) -> Refusal | None:
        """Count one more of the function's rate; or why not."""
        refusal = self._busy(version)
        rate = version.shared.rate
        if refusal is not None or rate is None:
            return refusal
        return _too_often(self._rates.take(version.slot, _owner(version), rate))

    def refusal(self, version: Version) -> Refusal | None:
        """What `admit` would say now; nothing is counted."""
        refusal = self._busy(version)
        rate = version.shared.rate
        if refusal is not None or rate is None:
            return refusal
        return _too_often(self._rates.wait_s(version.slot, _owner(version), rate))

    def _busy(self, version: Version) -> Refusal | None:
        """Whether as many run as may at once: of the function, or on the host."""
        limit = version.shared.concurrency_max
        if limit is not None and self._occupancy.function(version.slot) >= limit:
            return THROTTLED
        if self._occupancy.host() >= self._concurrency_max:
            return OVERLOADED
        return None


def _owner(version: Version) -> int:
    """The function as the owner of a bucket: its slot may have been another's."""
    return crc32(version.function.encode())


def _too_often(wait_s: float) -> Refusal | None:
    return Refusal(Outcome.THROTTLED, _TOO_OFTEN, ceil(wait_s)) if wait_s > 0 else None
