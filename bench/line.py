"""One line of the table: what was measured, what was asked for, and whether it was reached.

Neighbours: every benchmark returns lines, `table.py` prints them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Line:
    """`p50` and `p99` are in `unit`; a single figure has no p99. `met` is None where nothing was
    asked for and the line only stands beside others. `against` names what `ratio` is a ratio to.
    """

    name: str
    p50: float | None
    unit: str
    p99: float | None = None
    ratio: float | None = None
    against: str = ""
    bound: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, or nothing."""
        return "" if self.met is None else "ok" if self.met else "MISSED"


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 99th percentile and maximum of some samples, in their unit."""

    p50: float
    p99: float
    worst: float


def spread(samples: Sequence[float]) -> Spread:
    """The spread of at least two samples."""
    cuts = quantiles(samples, n=100, method="inclusive")
    return Spread(cuts[49], cuts[98], max(samples))


def absent(name: str, why: str) -> Line:
    """A line for something that is not on this machine."""
    return Line(name, None, "", note=why)
