"""Why Wasmtime ended a component: its error, read and classified.

A component call has no trap object, only an error whose text ends in what happened.

Neighbours: `instance.py` asks; `sandbox/stop.py` has the outcomes that core modules share.
Invariant: what guests can write (names of functions) is never taken for a cause.
"""

import re
from typing import NamedTuple

from edge.host.log import LogBuffer
from edge.model.outcome import Failure, Outcome
from edge.sandbox import raw, stop
from edge.sandbox.component.raw import error_trace

_CAUSE = "wasm trap: "
_NO_MEMORY = re.compile(r"out of memory|memory allocation of \d+ bytes failed|MemoryError", re.I)
_NO_SLOT = "maximum concurrent"
_TOO_LARGE = "exceeds memory limits"
_ABORTED = "wasm `unreachable` instruction executed"


class Fault(NamedTuple):
    """`reason` is Wasmtime's; `trapped` tells a trap from a broken rule of the component model."""

    reason: str
    frames: tuple[str, ...]
    trapped: bool

    def as_stop(self, fuel_left: int, log: LogBuffer) -> stop.GuestStopped:
        """The outcome it is. `log` has what the guest wrote before it gave up.

        A program that cannot get memory says so and aborts, and nothing but its words tells it
        from one that aborts for another reason: what a component's memory grew to is not known.
        """
        if self.trapped and fuel_left == 0:
            return stop.spent()
        if self.reason.startswith(_NO_SLOT):
            return stop.refused(self.reason)
        if not self.trapped and _TOO_LARGE in self.reason:
            failure = Failure("OutOfMemory", f"the guest cannot start: {self.reason}")
            return stop.GuestStopped(Outcome.OUT_OF_MEMORY, failure)
        if self.reason == _ABORTED and _NO_MEMORY.search(log.last_words()):
            failure = Failure("OutOfMemory", "the guest could not get more memory")
            return stop.GuestStopped(Outcome.OUT_OF_MEMORY, failure)
        return stop.GuestStopped(Outcome.GUEST_TRAP, Failure("Trap", self.reason, self.frames))


def read_fault(error: int) -> Fault:
    """Take an owned error apart; it is deleted."""
    frames = raw.take_frames(error, error_trace)
    message = raw.take_error(error)
    _, found, cause = message.rpartition(_CAUSE)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reason = cause.strip() if found else (lines[-1] if lines else "the component cannot run")
    return Fault(reason, frames, bool(found))
