"""How often something may be done: the rule of a token bucket.

Neighbours: access keys and functions have one; `storage/buckets.py` follows it.
"""

from dataclasses import dataclass, replace
from math import ceil

from edge.model.errors import InvalidConfiguration

PER_S_MIN = 0.001
PER_S_MAX = 1_000_000.0
BURST_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` requests a second on average, and at most `burst` of them at once."""

    per_s: float
    burst: int

    def __post_init__(self) -> None:
        """Refuse what is no rate; raises InvalidConfiguration."""
        if not PER_S_MIN <= self.per_s <= PER_S_MAX:
            raise InvalidConfiguration(
                f"a rate is from {PER_S_MIN} to {PER_S_MAX:.0f} requests a second, not {self.per_s}"
            )
        if not 1 <= self.burst <= BURST_MAX:
            raise InvalidConfiguration(f"a burst is from 1 to {BURST_MAX}, not {self.burst}")


def rate_of(per_s: float, burst: int | None = None) -> Rate:
    """A rate whose burst is what a second gives, unless it is said.

    Raises InvalidConfiguration.
    """
    rate = Rate(per_s, 1 if burst is None else burst)
    return replace(rate, burst=ceil(per_s)) if burst is None else rate
