"""WASI's `poll_oneoff`: what is ready now, or how long the guest is to sleep.

The events are written at once, for the time at which the guest will see them: until then it does
not run. So the sandbox has nothing to do afterwards but to wake it.

Neighbours: the sandbox calls `poll_oneoff` and waits, without a thread, as long as it says.
Invariant: the streams never block, so only clocks can make a guest wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from edge.host.charges import FUEL_PER_IMPORT
from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.clocks import now_ns
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define
from edge.host.wasi.stdio import STDIN, is_open

SUBSCRIPTIONS_MAX = 256
FUEL_PER_SUBSCRIPTION = 5_000

_CLOCK, _FD_READ, _FD_WRITE = 0, 1, 2
_ABSOLUTE = 1
_HANGUP = 1

# userdata, tag; for a clock: id, timeout, precision, flags; for a stream the id is the descriptor.
_SUBSCRIPTION = Struct("<QB7xI4xQQH6x")
# userdata, error, type, bytes ready, flags
_EVENT = Struct("<QHB5xQH6x")
_COUNT = Struct("<I")


@dataclass(frozen=True, slots=True)
class _Event:
    """An encoded event, and how long until it is due."""

    encoded: bytes
    wait_ns: int


def poll_oneoff(
    session: Session, memory: Memory, subscriptions: int, events: int, count: int, count_out: int
) -> tuple[int, int]:
    """(error number, how long to sleep in ns). Raises MemoryFault."""
    session.charge(FUEL_PER_IMPORT)
    if not 1 <= count <= SUBSCRIPTIONS_MAX:
        return Errno.INVAL, 0
    session.charge(FUEL_PER_SUBSCRIPTION * count)
    block = memory.read(subscriptions, count * _SUBSCRIPTION.size)
    pending = [_event(session, *fields) for fields in _SUBSCRIPTION.iter_unpack(block)]
    wait_ns = min(event.wait_ns for event in pending)
    due: Sequence[bytes] = [event.encoded for event in pending if event.wait_ns <= wait_ns]
    memory.write(events, b"".join(due))
    memory.write(count_out, _COUNT.pack(len(due)))
    return Errno.SUCCESS, wait_ns


def _event(
    session: Session,
    userdata: int,
    tag: int,
    target: int,
    timeout: int,
    _precision: int,
    flags: int,
) -> _Event:
    if tag == _CLOCK:
        time_ns = now_ns(target)
        if time_ns is None:
            return _Event(_EVENT.pack(userdata, Errno.INVAL, tag, 0, 0), 0)
        wait_ns = timeout - time_ns if flags & _ABSOLUTE else timeout
        return _Event(_EVENT.pack(userdata, Errno.SUCCESS, tag, 0, 0), max(0, wait_ns))
    readable = tag == _FD_READ and target == STDIN
    writable = tag == _FD_WRITE and target != STDIN
    if not is_open(session, target) or not (readable or writable):
        error = Errno.BADF if tag in (_FD_READ, _FD_WRITE) else Errno.INVAL
        return _Event(_EVENT.pack(userdata, error, tag, 0, 0), 0)
    ready = len(session.stdin) - session.stdin_position if readable else 0
    ended = _HANGUP if readable and not ready else 0
    return _Event(_EVENT.pack(userdata, Errno.SUCCESS, tag, ready, ended), 0)


def _without_sleep(session: Session, memory: Memory, *arguments: int) -> int:
    """For a caller that cannot wait: the guest finds its time come at once."""
    return poll_oneoff(session, memory, *arguments)[0]


FUNCTIONS = (define("poll_oneoff", "i32 i32 i32 i32", _without_sleep),)
