"""WASI's process: a guest may end itself; there is nobody to signal and nothing to yield to."""

from typing import NoReturn

from edge.host.memory import Memory
from edge.host.session import GuestExit, Session
from edge.host.wasi.errno import Errno
from edge.host.wasi.function import define


def proc_exit(session: Session, _memory: Memory, status: int) -> NoReturn:
    """End the guest: notes the status and raises GuestExit."""
    session.exit_status = status
    raise GuestExit(status)


def proc_raise(_session: Session, _memory: Memory, _signal: int) -> int:
    """There are no signals."""
    return Errno.NOSYS


def sched_yield(_session: Session, _memory: Memory) -> int:
    """The fuel slices see to it."""
    return Errno.SUCCESS


FUNCTIONS = (
    define("proc_exit", "i32", proc_exit),
    define("proc_raise", "i32", proc_raise),
    define("sched_yield", "", sched_yield),
)
