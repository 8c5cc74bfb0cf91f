"""WASI preview 1 as programs use it: streams, clocks, randomness, and files that are not."""

import contextlib
import struct

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from edge.host.log import LogBuffer
from edge.host.memory import MemoryFault
from edge.host.session import GuestExit, Session
from edge.host.wasi import FUNCTIONS
from edge.host.wasi.errno import Errno
from edge.host.wasi.random import RANDOM_BYTES_MAX
from edge.host.wasi.stdio import IOVECS_MAX, TRANSFER_BYTES_MAX
from tests.host.guest import ByteMemory, make_session, wasi

SECOND_NS = 1_000_000_000


@pytest.fixture
def memory() -> ByteMemory:
    """64 KiB of it."""
    return ByteMemory()


def write(session: Session, memory: ByteMemory, fd: int, *parts: bytes) -> tuple[int, int]:
    """(error number, bytes written) of an fd_write."""
    iovecs = memory.put_iovecs([(memory.put(part), len(part)) for part in parts])
    out = memory.reserve(4)
    return wasi(session, memory, "fd_write", fd, iovecs, len(parts), out), memory.u32(out)


def messages(session: Session) -> list[tuple[int, str]]:
    """(level, text) of each line logged."""
    return [(line.level, line.message) for line in session.log.lines()]


# The table


def test_every_import_of_preview_1_has_its_type() -> None:
    """Wasmtime's own implementation has the same 46 functions with the same parameters."""
    imports = "".join(
        f'(import "wasi_snapshot_preview1" "{function.name}" (func (param'
        f" {' '.join(function.params)}) {'' if name == 'proc_exit' else '(result i32)'}))"
        for name, function in FUNCTIONS.items()
    )
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    store.set_wasi(wasmtime.WasiConfig())
    linker.instantiate(store, wasmtime.Module(engine, f"(module {imports})"))
    assert len(FUNCTIONS) == 46


ARGUMENTS = st.lists(
    st.integers(-(1 << 63), (1 << 64) - 1) | st.sampled_from([0, 1, 2, 3, 16, 1 << 16, 1 << 31]),
    min_size=9,
    max_size=9,
)


@given(st.sampled_from(sorted(FUNCTIONS)), ARGUMENTS)
def test_any_arguments_end_in_an_error_number_or_a_fault(name: str, arguments: list[int]) -> None:
    """Signed, unsigned, huge or overlapping: nothing else leaves a host function."""
    session, memory = make_session(stdin=b"event", stdout=bytearray()), ByteMemory()
    count = len(FUNCTIONS[name].params)
    with contextlib.suppress(MemoryFault, GuestExit):
        assert 0 <= wasi(session, memory, name, *arguments[:count]) <= 76
    assert session.host_fuel > 0


def test_a_mistake_of_ours_is_an_io_error(memory: ByteMemory) -> None:
    """The guest goes on; the exception goes to the host's log."""
    session = make_session()
    session.stdin = None  # type: ignore[assignment]
    iovecs = memory.put_iovecs([(64, 1)])
    assert wasi(session, memory, "fd_read", 0, iovecs, 1, 80) == Errno.IO


# Streams


def test_stdout_is_the_answer_where_one_is_kept(memory: ByteMemory) -> None:
    """All buffers of a call, in order."""
    session = make_session(stdout=bytearray())
    assert write(session, memory, 1, b"hello, ", b"", b"world") == (0, 12)
    assert session.stdout == b"hello, world"
    assert messages(session) == []


def test_stdout_and_stderr_are_log_lines_otherwise(memory: ByteMemory) -> None:
    """At info and warn."""
    session = make_session()
    write(session, memory, 1, b"one\ntw")
    write(session, memory, 2, b"bad\n")
    write(session, memory, 1, b"o")
    assert messages(session) == [(2, "one"), (3, "bad"), (2, "two")]


def test_an_answer_over_its_limit_is_noticed(memory: ByteMemory) -> None:
    """The program gets an error, and the session knows that the answer is not whole."""
    session = make_session(stdout=bytearray(), stdout_bytes_max=10)
    assert write(session, memory, 1, b"x" * 10) == (0, 10)
    assert not session.stdout_full
    assert write(session, memory, 1, b"x")[0] == Errno.FBIG
    assert session.stdout == b"x" * 10
    assert session.stdout_full


def test_a_write_moves_no_more_than_its_share() -> None:
    """A program that writes gigabytes in one call gets a short count, as from a pipe."""
    session, memory = make_session(), ByteMemory(TRANSFER_BYTES_MAX * 2)
    iovecs = memory.put_iovecs([(0, TRANSFER_BYTES_MAX - 1), (0, TRANSFER_BYTES_MAX)])
    assert wasi(session, memory, "fd_write", 1, iovecs, 2, 8) == 0
    assert memory.u32(8) == TRANSFER_BYTES_MAX


def test_stdin_is_the_event_and_ends(memory: ByteMemory) -> None:
    """Read in pieces over several buffers, then nothing."""
    session = make_session(stdin=b"abcdef")
    first, second = memory.reserve(2), memory.reserve(3)
    iovecs = memory.put_iovecs([(first, 2), (second, 3)])
    got = []
    for _ in range(3):
        assert wasi(session, memory, "fd_read", 0, iovecs, 2, 8) == 0
        got.append(memory.u32(8))
    assert got == [5, 1, 0]
    assert memory.read(first, 1) == b"f"
    assert memory.read(second, 3) == b"cde"


@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_buffers_are_checked(memory: ByteMemory, name: str) -> None:
    """Their number, their array, each of them, and where the count goes."""
    session = make_session(stdin=b"x" * 100)
    fd = 0 if name == "fd_read" else 1
    end = len(memory.data)
    good = memory.put_iovecs([(64, 10)])
    bad = memory.put_iovecs([(end - 5, 10)])
    wrapping = memory.put_iovecs([(0xFFFF_FFFF, 10)])
    assert wasi(session, memory, name, fd, good, IOVECS_MAX + 1, 8) == Errno.INVAL
    for arguments in ((fd, bad, 1, 8), (fd, wrapping, 1, 8), (fd, end, 1, 8), (fd, good, 1, end)):
        with pytest.raises(MemoryFault):
            wasi(session, memory, name, *arguments)


def test_streams_have_a_direction_and_can_be_closed(memory: ByteMemory) -> None:
    """What is closed is a bad descriptor from then on, and no other is ever open."""
    session = make_session(stdin=b"x")
    iovecs = memory.put_iovecs([(64, 1)])
    assert wasi(session, memory, "fd_write", 0, iovecs, 1, 8) == Errno.BADF
    assert wasi(session, memory, "fd_read", 1, iovecs, 1, 8) == Errno.BADF
    assert wasi(session, memory, "fd_close", 1) == 0
    assert wasi(session, memory, "fd_close", 1) == Errno.BADF
    assert write(session, memory, 1, b"x")[0] == Errno.BADF
    assert write(session, memory, 2, b"x")[0] == 0
    assert write(session, memory, 3, b"x")[0] == Errno.BADF
    assert write(session, memory, -1, b"x")[0] == Errno.BADF


def test_streams_look_like_pipes(memory: ByteMemory) -> None:
    """No terminal (libc would flush each line), no file (it would seek)."""
    session = make_session()
    for fd in range(3):
        assert wasi(session, memory, "fd_fdstat_get", fd, 64) == 0
        assert memory.read(64, 1) == b"\0"
        assert wasi(session, memory, "fd_filestat_get", fd, 64) == 0
        assert wasi(session, memory, "fd_fdstat_set_flags", fd, 4) == 0
        assert wasi(session, memory, "fd_seek", fd, 0, 0, 64) == Errno.SPIPE
        assert wasi(session, memory, "fd_tell", fd, 64) == Errno.SPIPE
    assert wasi(session, memory, "fd_fdstat_get", 3, 64) == Errno.BADF
    with pytest.raises(MemoryFault):
        wasi(session, memory, "fd_fdstat_get", 1, len(memory.data) - 8)


def test_there_is_no_file_system(memory: ByteMemory) -> None:
    """libc looks for preopened directories from 3 on, and finds none."""
    session = make_session()
    assert wasi(session, memory, "fd_prestat_get", 3, 64) == Errno.BADF
    paths = [function for name, function in FUNCTIONS.items() if name.startswith("path_")]
    assert len(paths) == 10
    for function in paths:
        assert function.run(session, memory, *[3] * len(function.params)) == Errno.BADF
        assert function.run(session, memory, *[1] * len(function.params)) == Errno.NOTDIR
    for name in ("sock_accept", "sock_recv", "sock_send", "sock_shutdown"):
        function = FUNCTIONS[name]
        assert function.run(session, memory, *[3] * len(function.params)) == Errno.BADF
        assert function.run(session, memory, *[0] * len(function.params)) == Errno.NOTSOCK


def test_the_log_of_a_guest_that_prints_forever_is_bounded(memory: ByteMemory) -> None:
    """It may go on, and is charged for it."""
    session = make_session(log=LogBuffer(1_000))
    iovecs = memory.put_iovecs([(0, 60_000)])
    for _ in range(100):
        assert wasi(session, memory, "fd_write", 2, iovecs, 1, 8) == 0
    assert sum(len(text) for _, text in messages(session)) < 1_100
    assert session.host_fuel > 100 * 60_000


# Arguments and environment


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("args", [b"prog", b"--x"]), ("environ", ["GREETING=Grüß".encode(), b"EMPTY="])],
)
def test_strings_are_the_sessions_own(memory: ByteMemory, kind: str, wanted: list[bytes]) -> None:
    """Nothing of the host's; each ends with the only zero byte it has."""
    session = make_session(
        arguments=("prog", "--x"), environment=(("GREETING", "Gr\0üß"), ("EMPTY", ""))
    )
    assert wasi(session, memory, f"{kind}_sizes_get", 8, 12) == 0
    count, size = memory.u32(8), memory.u32(12)
    assert (count, size) == (len(wanted), sum(map(len, wanted)) + len(wanted))
    pointers, buffer = memory.reserve(4 * count), memory.reserve(size)
    assert wasi(session, memory, f"{kind}_get", pointers, buffer) == 0
    assert memory.read(buffer, size) == b"".join(each + b"\0" for each in wanted)
    begins = struct.unpack(f"<{count}I", memory.read(pointers, 4 * count))
    assert [memory.read(begin, len(each)) for begin, each in zip(begins, wanted, strict=True)] == (
        wanted
    )
    for arguments in ((len(memory.data), buffer), (pointers, len(memory.data) - 1)):
        with pytest.raises(MemoryFault):
            wasi(session, memory, f"{kind}_get", *arguments)


def test_a_program_has_a_name(memory: ByteMemory) -> None:
    """Programs print argv[0]; it is the function's name."""
    session = make_session()
    wasi(session, memory, "args_get", 64, 128)
    assert memory.read(128, 5) == b"test\0"


# Clocks, randomness, process


def test_clocks_advance(memory: ByteMemory) -> None:
    """Real time and the monotonic clock; CPU time is none of ours."""
    session = make_session()
    for clock in (0, 1):
        times = []
        for _ in range(50):
            assert wasi(session, memory, "clock_time_get", clock, 0, 64) == 0
            times.append(memory.u64(64))
        assert times == sorted(times)
        assert times[0] > 1_000_000_000 * SECOND_NS  # also the monotonic one: see clocks.py
        assert wasi(session, memory, "clock_res_get", clock, 64) == 0
        assert memory.u64(64) == 1_000
    for clock in (2, 3, 99, -1):
        assert wasi(session, memory, "clock_time_get", clock, 0, 64) == Errno.INVAL
        assert wasi(session, memory, "clock_res_get", clock, 64) == Errno.INVAL
    with pytest.raises(MemoryFault):
        wasi(session, memory, "clock_time_get", 0, 0, len(memory.data) - 7)


def test_randomness_fills_the_buffer_and_is_fresh() -> None:
    """Also a large one; not one byte beyond it; never the same twice."""
    session, memory = make_session(), ByteMemory(RANDOM_BYTES_MAX * 2)
    seen = set()
    for _ in range(3):
        assert wasi(session, memory, "random_get", 64, 200_000) == 0
        assert memory.read(64 + 200_000, 64) == bytes(64)
        chunks = [memory.read(begin, 32) for begin in range(64, 200_000, 32)]
        seen.update(chunks)
    assert len(seen) == 3 * len(chunks)
    assert wasi(session, memory, "random_get", 64, RANDOM_BYTES_MAX + 1) == Errno.INVAL
    assert wasi(session, memory, "random_get", 64, 0) == 0
    with pytest.raises(MemoryFault):
        wasi(session, memory, "random_get", len(memory.data) - 10, 11)


def test_exit_ends_the_guest_and_is_remembered(memory: ByteMemory) -> None:
    """With its status; before that there is none."""
    session = make_session()
    assert session.exit_status is None
    with pytest.raises(GuestExit) as ended:
        wasi(session, memory, "proc_exit", 3)
    assert ended.value.status == session.exit_status == 3


def test_signals_and_yielding(memory: ByteMemory) -> None:
    """There are none of the one, and nothing to do for the other."""
    assert wasi(make_session(), memory, "proc_raise", 9) == Errno.NOSYS
    assert wasi(make_session(), memory, "sched_yield") == 0


def test_bytes_are_charged_for() -> None:
    """More work, more fuel; the same work, the same fuel."""

    def fuel(size: int) -> int:
        session, memory = make_session(), ByteMemory()
        write(session, memory, 1, b"x" * size)
        wasi(session, memory, "random_get", 64, size)
        return session.host_fuel

    assert fuel(10) == fuel(10) < fuel(1_000)
