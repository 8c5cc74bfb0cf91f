"""One WASI function as the sandbox links it, behind the guard that all of them share.

Neighbours: the other files of this package define functions; `sandbox/` links their `run`.
Invariant: a body sees unsigned arguments, is charged for, and lets out nothing but `MemoryFault`
and `GuestExit`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import and_

import structlog

from edge.host.charges import FUEL_PER_IMPORT
from edge.host.memory import Memory, MemoryFault
from edge.host.session import GuestExit, Session
from edge.host.wasi.errno import Errno

_MASKS = {"i32": 0xFFFF_FFFF, "i64": 0xFFFF_FFFF_FFFF_FFFF}

Body = Callable[..., int]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WasiFunction:
    """Name and parameter types as a module imports them; `run(session, memory, *arguments)`.

    `run` returns the error number. Every function has one i32 result but `proc_exit`, which has
    none and never returns.
    """

    name: str
    params: tuple[str, ...]
    run: Body


def define(name: str, params: str, body: Body) -> WasiFunction:
    """A function with `params` such as `"i32 i64"`, its body behind the guard."""
    kinds = tuple(params.split())
    masks = tuple(_MASKS[kind] for kind in kinds)

    def run(session: Session, memory: Memory, *arguments: int) -> int:
        session.charge(FUEL_PER_IMPORT)
        try:
            return body(session, memory, *map(and_, arguments, masks))
        except (MemoryFault, GuestExit):
            raise
        except Exception as error:  # ours to mend: the guest sees an I/O error, others nothing
            _log.error("wasi_failed", function=session.function, wasi=name, exc_info=error)
            return Errno.IO

    return WasiFunction(name, kinds, run)
