"""WASI's clocks: real time and a monotonic one, to the microsecond.

Invariant: the monotonic clock never goes back, not even for a guest whose snapshot was taken
before this machine last started: it counts on from the real time at which this process began.
"""

from time import monotonic_ns, time_ns

from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define

REALTIME, MONOTONIC = 0, 1
RESOLUTION_NS = 1_000

_PROCESS_BEGAN_NS = time_ns() - monotonic_ns()


def now_ns(clock: int) -> int | None:
    """The clock's time; None for one we do not have (CPU time, whose measure here is fuel)."""
    if clock == REALTIME:
        return time_ns() // RESOLUTION_NS * RESOLUTION_NS
    if clock == MONOTONIC:
        return (_PROCESS_BEGAN_NS + monotonic_ns()) // RESOLUTION_NS * RESOLUTION_NS
    return None


def clock_time_get(
    _session: Session, memory: Memory, clock: int, _precision: int, time_out: int
) -> int:
    """Write the time in ns."""
    time = now_ns(clock)
    if time is None:
        return Errno.INVAL
    memory.write(time_out, time.to_bytes(8, "little"))
    return Errno.SUCCESS


def clock_res_get(_session: Session, memory: Memory, clock: int, resolution_out: int) -> int:
    """Write the resolution in ns."""
    if clock not in (REALTIME, MONOTONIC):
        return Errno.INVAL
    memory.write(resolution_out, RESOLUTION_NS.to_bytes(8, "little"))
    return Errno.SUCCESS


FUNCTIONS = (
    define("clock_time_get", "i32 i64 i32", clock_time_get),
    define("clock_res_get", "i32 i32", clock_res_get),
)
