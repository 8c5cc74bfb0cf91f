"""WASI's randomness: the system's own, fresh at each call, so a snapshot never repeats it."""

from os import urandom

from edge.host.charges import FUEL_PER_RANDOM_BYTE
from edge.host.memory import Memory
from edge.host.session import Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define
from edge.model.limits import KIB, MIB

RANDOM_BYTES_MAX = 1 * MIB
"""In one call: 2.5 ms of work. Nobody seeds with more, and it all happens in one slice."""

_CHUNK_BYTES = 64 * KIB


def random_get(session: Session, memory: Memory, buffer: int, length: int) -> int:
    """Fill the buffer."""
    if length > RANDOM_BYTES_MAX:
        return Errno.INVAL
    session.charge(FUEL_PER_RANDOM_BYTE * length)
    for begin in range(0, length, _CHUNK_BYTES):
        memory.write(buffer + begin, urandom(min(_CHUNK_BYTES, length - begin)))
    return Errno.SUCCESS


FUNCTIONS = (define("random_get", "i32 i32", random_get),)
