"""WASI's `poll_oneoff`: how long a guest sleeps, and what it finds when it wakes."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.host.memory import MemoryFault
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.poll import SUBSCRIPTIONS_MAX, poll_oneoff
from tests.host.guest import ByteMemory, make_session, wasi

SECOND_NS = 1_000_000_000


@pytest.fixture
def memory() -> ByteMemory:
    """64 KiB of it."""
    return ByteMemory()


def clock_wait(userdata: int, timeout_ns: int, *, clock: int = 1, absolute: bool = False) -> bytes:
    """A subscription to a clock."""
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, clock, timeout_ns, 0, int(absolute))


def stream_wait(userdata: int, tag: int, fd: int) -> bytes:
    """A subscription to a stream: tag 1 reads, 2 writes."""
    return struct.pack("<QB7xI28x", userdata, tag, fd)


def poll(session: Session, *subscriptions: bytes) -> tuple[int, int, list[tuple[Any, ...]]]:
    """(error number, sleep in ns, events as (userdata, error, type, bytes, flags))."""
    memory = ByteMemory()
    pointer = memory.put(b"".join(subscriptions))
    events, out = memory.reserve(32 * len(subscriptions)), memory.reserve(4)
    errno, sleep_ns = poll_oneoff(session, memory, pointer, events, len(subscriptions), out)
    data = memory.read(events, 32 * memory.u32(out))
    return errno, sleep_ns, list(struct.iter_unpack("<QHB5xQH6x", data))


def test_a_clock_makes_the_guest_sleep_until_the_earliest() -> None:
    """Only that one's event is written."""
    errno, sleep_ns, events = poll(
        make_session(), clock_wait(7, 5 * SECOND_NS), clock_wait(8, SECOND_NS)
    )
    assert (errno, sleep_ns, events) == (0, SECOND_NS, [(8, 0, 0, 0, 0)])


def test_an_absolute_time_is_taken_from_now(memory: ByteMemory) -> None:
    """Past times are due at once, on either clock."""
    session = make_session()
    for clock in (0, 1):
        wasi(session, memory, "clock_time_get", clock, 0, 64)
        now_ns = memory.u64(64)
        soon = clock_wait(1, now_ns + 1_000 * SECOND_NS, clock=clock, absolute=True)
        past = clock_wait(2, now_ns - SECOND_NS, clock=clock, absolute=True)
        assert 900 * SECOND_NS < poll(session, soon)[1] <= 1_000 * SECOND_NS
        assert poll(session, past, soon) == (0, 0, [(2, 0, 0, 0, 0)])


def test_streams_are_ready_at_once() -> None:
    """So a poll with one of them does not sleep; at its end, stdin says so."""
    session = make_session(stdin=b"abc")
    timer = clock_wait(1, SECOND_NS)
    assert poll(session, timer, stream_wait(2, 1, 0)) == (0, 0, [(2, 0, 1, 3, 0)])
    assert poll(session, timer, stream_wait(3, 2, 1)) == (0, 0, [(3, 0, 2, 0, 0)])
    session.stdin_position = 3
    assert poll(session, stream_wait(4, 1, 0))[2] == [(4, 0, 1, 0, 1)]


def test_what_cannot_be_waited_for_is_an_event_with_an_error() -> None:
    """As POSIX's poll has it: the call succeeds, the event tells."""
    session = make_session()
    for subscription, error in (
        (stream_wait(1, 1, 5), Errno.BADF),
        (stream_wait(1, 1, 1), Errno.BADF),
        (stream_wait(1, 2, 0), Errno.BADF),
        (clock_wait(1, SECOND_NS, clock=2), Errno.INVAL),
        (stream_wait(1, 9, 0), Errno.INVAL),
    ):
        errno, sleep_ns, events = poll(session, subscription, clock_wait(2, SECOND_NS))
        assert (errno, sleep_ns) == (0, 0)
        assert [(event[0], event[1]) for event in events] == [(1, error)]


def test_a_poll_is_bounded_and_checked(memory: ByteMemory) -> None:
    """No subscription at all would be a sleep without end."""
    session = make_session()
    assert poll_oneoff(session, memory, 64, 128, 0, 8) == (Errno.INVAL, 0)
    assert poll_oneoff(session, memory, 64, 128, SUBSCRIPTIONS_MAX + 1, 8) == (Errno.INVAL, 0)
    assert poll_oneoff(session, memory, 64, 128, 0xFFFF_FFFF, 8) == (Errno.INVAL, 0)
    end = len(memory.data)
    memory.write(64, clock_wait(1, SECOND_NS))
    for arguments in ((end - 47, 128, 1, 8), (64, end - 31, 1, 8), (64, 128, 1, end - 3)):
        with pytest.raises(MemoryFault):
            poll_oneoff(session, memory, *arguments)


@given(st.lists(st.binary(min_size=48, max_size=48), min_size=1, max_size=8))
def test_any_subscriptions_get_at_least_one_event(subscriptions: list[bytes]) -> None:
    """A guest never wakes to find that nothing happened, and never sleeps a negative time."""
    errno, sleep_ns, events = poll(make_session(), *subscriptions)
    assert errno == 0
    assert sleep_ns >= 0
    assert 1 <= len(events) <= len(subscriptions)
