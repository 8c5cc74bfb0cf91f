"""The log of an invocation: lines as written, bounded in bytes, cut once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.host.log import LINE_OVERHEAD_BYTES, LogBuffer, write_log
from edge.host.memory import MemoryFault
from tests.host.guest import ByteMemory, make_session

WRITES = st.lists(st.tuples(st.sampled_from([2, 3]), st.binary(max_size=40)), max_size=40)


def texts(log: LogBuffer) -> list[tuple[int, str]]:
    """(level, message) of each line."""
    return [(line.level, line.message) for line in log.lines()]


def test_streams_are_split_at_newlines() -> None:
    """A line is one line however it was written; the last one counts without its newline."""
    log = LogBuffer()
    for part in (b"fir", b"st\nsecond\r\n", b"\nlast"):
        log.write(2, part)
    log.write(3, b"other")
    assert texts(log) == [(2, "first"), (2, "second"), (2, ""), (2, "last"), (3, "other")]


def test_a_character_split_over_writes_stays_whole() -> None:
    """Programs flush where their buffer ends, not where a character does."""
    log = LogBuffer()
    log.write(2, "é".encode()[:1])
    log.write(2, "é".encode()[1:] + b"\n\xff")
    assert texts(log) == [(2, "é"), (2, "�")]


def test_levels_are_clamped() -> None:
    """Five levels exist, whatever a guest passes."""
    log = LogBuffer()
    log.append(99, b"high")
    log.append(-1, b"low")
    assert texts(log) == [(4, "high"), (0, "low")]


def test_a_full_log_says_that_it_was_cut() -> None:
    """Once, after what still fitted; later lines are dropped."""
    log = LogBuffer(100)
    log.append(2, b"x" * 50)
    log.append(2, b"y" * 50)
    log.append(2, b"z")
    log.write(2, b"more\n")
    lines = texts(log)
    assert lines[:1] == [(2, "x" * 50)]
    assert "cut" in lines[-1][1]
    assert len(lines) == 2


def test_empty_lines_are_not_free() -> None:
    """A guest that logs newlines forever fills no memory."""
    log = LogBuffer(10 * LINE_OVERHEAD_BYTES)
    log.write(2, b"\n" * 100_000)
    assert len(texts(log)) == 11


@given(WRITES, st.integers(0, 300))
def test_a_log_never_holds_more_than_its_bound(
    writes: list[tuple[int, bytes]], bytes_max: int
) -> None:
    """Whatever is written, in whatever pieces."""
    log = LogBuffer(bytes_max)
    for level, data in writes:
        log.write(level, data)
    lines = [line for line in log.lines() if "cut here" not in line.message]
    assert sum(len(line.message) for line in lines) <= bytes_max


@given(WRITES)
def test_nothing_is_lost_below_the_bound(writes: list[tuple[int, bytes]]) -> None:
    """Each stream's lines are its bytes, in order."""
    log = LogBuffer()
    for level, data in writes:
        log.write(level, data)
    lines = log.lines()
    for level in (2, 3):
        stream = b"".join(data for each, data in writes if each == level)
        wanted = stream.removesuffix(b"\n").split(b"\n") if stream else []
        assert [line.message for line in lines if line.level == level] == [
            each.decode("utf-8", "replace").removesuffix("\r") for each in wanted
        ]


def test_a_guest_logs_one_line_from_its_memory() -> None:
    """`edge.log` takes pointer and length, and levels as the sandbox hands them over."""
    session, memory = make_session(), ByteMemory()
    pointer = memory.put(b"hello\nthere\n")
    write_log(session, memory, 3, pointer, 12)
    write_log(session, memory, 0xFFFF_FFFF, pointer, 5)
    assert texts(session.log) == [(3, "hello\nthere"), (0, "hello")]
    assert session.host_fuel > 0


@pytest.mark.parametrize("bytes_max", [0, 100, 1 << 20])
@pytest.mark.parametrize(("pointer", "length"), [(1 << 16, 1), (0, 1 << 31), (0xFFFF_FFFF, 2)])
def test_a_range_outside_faults_even_when_the_log_is_full(
    bytes_max: int, pointer: int, length: int
) -> None:
    """A pointer is checked whether or not its bytes are kept."""
    session = make_session(log=LogBuffer(bytes_max))
    session.log.append(2, b"x" * 50)
    with pytest.raises(MemoryFault):
        write_log(session, ByteMemory(), 2, pointer, length)


def test_a_message_over_the_bound_is_not_copied_whole() -> None:
    """A guest cannot make the host copy its memory again and again for a log it has filled."""

    class CountingMemory(ByteMemory):
        copied = 0

        def read(self, pointer: int, length: int) -> bytes:
            self.copied += length
            return super().read(pointer, length)

    memory = CountingMemory(1 << 20)
    session = make_session(log=LogBuffer(1_000))
    for _ in range(10):
        write_log(session, memory, 2, 0, 1 << 20)
    assert memory.copied < 1_100
