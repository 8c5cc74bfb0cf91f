"""The bill: what fuel and requests cost. Integers until the last step, then decimals.

`billed_ms = max(1, ceil(fuel / fuel_per_ms))`
`cost = requests × price_request + GB-seconds(memory_mb, billed_ms) × price_gb_second`

Default prices are AWS Lambda's for x86 (https://aws.amazon.com/lambda/pricing/): 0.20 USD for a
million requests, 0.0000166667 USD for a GB-second, a GB being 1024 MB.

An invocation that never ran, because it was throttled, refused for overload, or its caller was not
allowed to call, is journalled with no fuel and no billed time, and is not charged: as with Lambda,
a request counts when the function's code was started. How a started one ended makes no difference.

Neighbours: `invoke/` asks for `billed_ms`, `ledger.py` for the rest.
"""

from dataclasses import dataclass
from decimal import Decimal

from edge.model.errors import InvalidConfiguration
from edge.model.outcome import Outcome
from edge.model.usage import Usage

CURRENCY = "USD"
MEGABYTE_MS_PER_GB_SECOND = 1024 * 1000

NEVER_RAN = frozenset({Outcome.THROTTLED, Outcome.OVERLOADED, Outcome.DENIED})


@dataclass(frozen=True, slots=True)
class Tariff:
    """What is published: fuel in a billed millisecond, and two prices in USD."""

    fuel_per_ms: int = 5_000_000
    price_request: Decimal = Decimal("0.0000002")
    price_gb_second: Decimal = Decimal("0.0000166667")

    def __post_init__(self) -> None:
        """Raises InvalidConfiguration."""
        if self.fuel_per_ms < 1:
            raise InvalidConfiguration("fuel_per_ms must be 1 or more")
        if self.price_request < 0 or self.price_gb_second < 0:
            raise InvalidConfiguration("prices must be 0 or more")

    def billed_ms(self, fuel: int) -> int:
        """The milliseconds an invocation that ran is billed for: its fuel's, rounded up, and 1
        at least."""
        return max(1, -(-fuel // self.fuel_per_ms))

    def cost(self, requests: int, megabyte_ms: int) -> Decimal:
        """What so many requests and so much memory × billed time cost together."""
        return requests * self.price_request + gb_seconds(megabyte_ms) * self.price_gb_second

    def charge(self, usage: Usage) -> Decimal:
        """What one invocation costs."""
        if usage.outcome in NEVER_RAN:
            return Decimal(0)
        return self.cost(1, usage.memory_mb * usage.billed_ms)


def gb_seconds(megabyte_ms: int) -> Decimal:
    """Memory × time in Lambda's unit."""
    return Decimal(megabyte_ms) / MEGABYTE_MS_PER_GB_SECOND
