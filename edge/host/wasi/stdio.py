"""WASI's three open descriptors: the event on 0, the answer or the log on 1, the log on 2.

Neighbours: `files.py` answers for every other descriptor.
Invariant: no descriptor but these exists, and none leads to a file of the host.
"""

from collections.abc import Iterator
from struct import Struct, pack

from edge.host.charges import FUEL_PER_BYTE
from edge.host.log import LEVEL_INFO, LEVEL_WARN
from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define
from edge.model.limits import MIB

STDIN, STDOUT, STDERR = 0, 1, 2
IOVECS_MAX = 1_024
TRANSFER_BYTES_MAX = 1 * MIB
"""In one call; programs go on after a short read or write, as POSIX has it."""

_IOVEC = Struct("<II")
# filetype 0 is "unknown": a character device would make libc flush at every line.
_FDSTAT = Struct("<BxH4xQQ")
_FILESTAT_BYTES = 64
_RIGHT_READ, _RIGHT_WRITE, _RIGHT_POLL = 1 << 1, 1 << 6, 1 << 27


def is_open(session: Session, fd: int) -> bool:
    """Whether it is one of the three, and was not closed."""
    return fd <= STDERR and not session.streams_closed >> fd & 1


def fd_write(
    session: Session, memory: Memory, fd: int, iovecs: int, count: int, written_out: int
) -> int:
    """Take bytes for the answer or the log; FBIG when the answer would pass its limit."""
    if not is_open(session, fd) or fd == STDIN:
        return Errno.BADF
    if count > IOVECS_MAX:
        return Errno.INVAL
    data = b"".join(
        memory.read(pointer, length) for pointer, length in _ranges(memory, iovecs, count)
    )
    session.charge(FUEL_PER_BYTE * len(data))
    if fd == STDERR:
        session.log.write(LEVEL_WARN, data)
    elif session.stdout is None:
        session.log.write(LEVEL_INFO, data)
    elif len(session.stdout) + len(data) > session.stdout_bytes_max:
        session.stdout_full = True
        return Errno.FBIG
    else:
        session.stdout += data
    memory.write(written_out, pack("<I", len(data)))
    return Errno.SUCCESS


def fd_read(
    session: Session, memory: Memory, fd: int, iovecs: int, count: int, read_out: int
) -> int:
    """Give bytes of the event; 0 of them at its end."""
    if not is_open(session, fd) or fd != STDIN:
        return Errno.BADF
    if count > IOVECS_MAX:
        return Errno.INVAL
    begin = session.stdin_position
    for pointer, length in _ranges(memory, iovecs, count):
        data = session.stdin[session.stdin_position : session.stdin_position + length]
        memory.write(pointer, data)
        session.stdin_position += len(data)
    taken = session.stdin_position - begin
    session.charge(FUEL_PER_BYTE * taken)
    memory.write(read_out, pack("<I", taken))
    return Errno.SUCCESS


def _ranges(memory: Memory, iovecs: int, count: int) -> Iterator[tuple[int, int]]:
    """(pointer, length) of each buffer, until the most that one call moves."""
    left = TRANSFER_BYTES_MAX
    for pointer, length in _IOVEC.iter_unpack(memory.read(iovecs, count * _IOVEC.size)):
        yield pointer, min(length, left)
        left -= length
        if left <= 0:
            return


def fd_close(session: Session, _memory: Memory, fd: int) -> int:
    """Close it for the rest of the invocation."""
    if not is_open(session, fd):
        return Errno.BADF
    session.streams_closed |= 1 << fd
    return Errno.SUCCESS


def fd_fdstat_get(session: Session, memory: Memory, fd: int, stat_out: int) -> int:
    """Write what it is: a stream that can be read or written, and nothing else."""
    if not is_open(session, fd):
        return Errno.BADF
    right = _RIGHT_READ if fd == STDIN else _RIGHT_WRITE
    memory.write(stat_out, _FDSTAT.pack(0, 0, right | _RIGHT_POLL, 0))
    return Errno.SUCCESS


def fd_filestat_get(session: Session, memory: Memory, fd: int, stat_out: int) -> int:
    """Write a file's attributes, which a stream has none of."""
    if not is_open(session, fd):
        return Errno.BADF
    memory.write(stat_out, bytes(_FILESTAT_BYTES))
    return Errno.SUCCESS


def fd_fdstat_set_flags(session: Session, _memory: Memory, fd: int, _flags: int) -> int:
    """Take any flags: these streams never block, and only append."""
    return Errno.SUCCESS if is_open(session, fd) else Errno.BADF


FUNCTIONS = (
    define("fd_write", "i32 i32 i32 i32", fd_write),
    define("fd_read", "i32 i32 i32 i32", fd_read),
    define("fd_close", "i32", fd_close),
    define("fd_fdstat_get", "i32 i32", fd_fdstat_get),
    define("fd_fdstat_set_flags", "i32 i32", fd_fdstat_set_flags),
    define("fd_filestat_get", "i32 i32", fd_filestat_get),
)
