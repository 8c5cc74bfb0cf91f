"""WASI's arguments and environment: the session's own, nothing of the host's."""

from collections.abc import Sequence
from struct import pack

from edge.host.charges import FUEL_PER_BYTE
from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define


def args_sizes_get(session: Session, memory: Memory, count_out: int, size_out: int) -> int:
    """Write how many arguments there are, and their bytes in all."""
    return _write_sizes(memory, _arguments(session), count_out, size_out)


def args_get(session: Session, memory: Memory, pointers: int, buffer: int) -> int:
    """Write the arguments; the first is the program's name."""
    return _write_strings(session, memory, _arguments(session), pointers, buffer)


def environ_sizes_get(session: Session, memory: Memory, count_out: int, size_out: int) -> int:
    """Write how many variables there are, and their bytes in all."""
    return _write_sizes(memory, _environment(session), count_out, size_out)


def environ_get(session: Session, memory: Memory, pointers: int, buffer: int) -> int:
    """Write the variables, each as `NAME=value`."""
    return _write_strings(session, memory, _environment(session), pointers, buffer)


def _arguments(session: Session) -> list[bytes]:
    return [_terminated(argument) for argument in session.arguments or (session.function,)]


def _environment(session: Session) -> list[bytes]:
    return [_terminated(f"{name}={value}") for name, value in session.environment]


def _terminated(text: str) -> bytes:
    """As C has it; a zero byte inside would end it early, so there is none."""
    return text.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"


def _write_sizes(memory: Memory, strings: Sequence[bytes], count_out: int, size_out: int) -> int:
    memory.write(count_out, pack("<I", len(strings)))
    memory.write(size_out, pack("<I", sum(map(len, strings))))
    return Errno.SUCCESS


def _write_strings(
    session: Session, memory: Memory, strings: Sequence[bytes], pointers: int, buffer: int
) -> int:
    """The strings end to end at `buffer`, and at `pointers` where each begins."""
    whole = b"".join(strings)
    session.charge(FUEL_PER_BYTE * len(whole))
    begins, begin = [], buffer
    for string in strings:
        begins.append(begin & 0xFFFF_FFFF)  # past 4 GiB the write below faults
        begin += len(string)
    memory.write(buffer, whole)
    memory.write(pointers, pack(f"<{len(begins)}I", *begins))
    return Errno.SUCCESS


FUNCTIONS = (
    define("args_sizes_get", "i32 i32", args_sizes_get),
    define("args_get", "i32 i32", args_get),
    define("environ_sizes_get", "i32 i32", environ_sizes_get),
    define("environ_get", "i32 i32", environ_get),
)
