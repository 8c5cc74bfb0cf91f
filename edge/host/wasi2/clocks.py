"""`wasi:clocks`: the clocks of WASI preview 1, as 0.2 asks for them."""

from time import monotonic_ns

from edge.host.wasi.clocks import MONOTONIC, REALTIME, RESOLUTION_NS, now_ns
from edge.host.wasi2.context import Context, Functions
from edge.host.wasi2.io import Timer

_NS_PER_S = 1_000_000_000


def monotonic_now(context: Context) -> int:
    """The monotonic clock, in ns."""
    return now_ns(MONOTONIC) or 0


def resolution(context: Context) -> int:
    """The least step of it, in ns."""
    return RESOLUTION_NS


def subscribe_duration(context: Context, duration_ns: int) -> Timer:
    """Ready when so much time has passed."""
    return Timer(monotonic_ns() + duration_ns)


def subscribe_instant(context: Context, instant_ns: int) -> Timer:
    """Ready at a time of the monotonic clock."""
    return Timer(monotonic_ns() + instant_ns - monotonic_now(context))


def wall_now(context: Context) -> tuple[int, int]:
    """Seconds since 1970, and nanoseconds."""
    return divmod(now_ns(REALTIME) or 0, _NS_PER_S)


def wall_resolution(context: Context) -> tuple[int, int]:
    """The least step of it."""
    return 0, RESOLUTION_NS


MONOTONIC_CLOCK: Functions = {
    "now": monotonic_now,
    "resolution": resolution,
    "subscribe-duration": subscribe_duration,
    "subscribe-instant": subscribe_instant,
}
WALL_CLOCK: Functions = {"now": wall_now, "resolution": wall_resolution}
