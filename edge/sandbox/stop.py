"""Why a guest stopped before it answered, and what outcome that is.

Neighbours: `instance.py` raises it out of a guest's steps, `execution.py` turns it into an outcome.
Invariant: every way a guest can end without an answer is classified here and nowhere else.
"""

from edge.host.memory import MemoryFault
from edge.host.session import FuelSpent, GuestExit
from edge.model.limits import MIB
from edge.model.outcome import Failure, Outcome
from edge.sandbox.raw import Trap

_MEMORY_TRAPS = (Trap.UNREACHABLE, Trap.MEMORY_OUT_OF_BOUNDS)
_MEMORY_SLACK_BYTES = 1 * MIB


class GuestStopped(Exception):
    """The guest is over without an answer. Internal to the sandbox."""

    def __init__(self, outcome: Outcome, failure: Failure) -> None:
        super().__init__(failure.message)
        self.outcome = outcome
        self.failure = failure


def from_host(cause: BaseException) -> GuestStopped:
    """What a host function ended the guest with."""
    if isinstance(cause, MemoryFault):
        failure = Failure("MemoryFault", str(cause))
        return GuestStopped(Outcome.GUEST_TRAP, failure)
    if isinstance(cause, GuestExit):
        failure = Failure("Exit", f"the guest exited with status {cause.status}")
        return GuestStopped(Outcome.GUEST_ERROR, failure)
    if isinstance(cause, FuelSpent):
        return spent()
    # Ours to mend, and not the tenant's business what it was.
    failure = Failure("HostError", f"a host function failed ({type(cause).__name__})")
    return GuestStopped(Outcome.HOST_ERROR, failure)


def from_trap(trap: Trap, memory_bytes: int, memory_bytes_max: int) -> GuestStopped:
    """What Wasmtime ended the guest with.

    A program that cannot get memory aborts (`unreachable`) or uses the null it was given; when
    that happens with its memory grown to the limit, the limit is what it died of.
    """
    if trap.code == Trap.OUT_OF_FUEL:
        return spent()
    full = memory_bytes + _MEMORY_SLACK_BYTES > memory_bytes_max
    if trap.code in _MEMORY_TRAPS and full and memory_bytes > _MEMORY_SLACK_BYTES:
        failure = Failure(
            "OutOfMemory", f"the guest reached its memory limit of {memory_bytes_max // MIB} MB"
        )
        return GuestStopped(Outcome.OUT_OF_MEMORY, failure)
    return GuestStopped(Outcome.GUEST_TRAP, Failure("Trap", str(trap), trap.frames))


def spent() -> GuestStopped:
    """The fuel limit was reached."""
    return GuestStopped(
        Outcome.CPU_EXCEEDED, Failure("CpuExceeded", "the guest used all the CPU it may use")
    )


def no_room(size: int) -> GuestStopped:
    """The guest has no memory for its event."""
    failure = Failure("OutOfMemory", f"edge_alloc returned 0 for {size} bytes")
    return GuestStopped(Outcome.OUT_OF_MEMORY, failure)


def too_large(length: int, limit: int) -> GuestStopped:
    """The answer is over the payload limit, in Lambda's words."""
    message = f"the answer of {length} bytes is over the limit of {limit} bytes"
    return GuestStopped(Outcome.GUEST_ERROR, Failure("Function.ResponseSizeTooLarge", message))


def refused(message: str) -> GuestStopped:
    """Wasmtime did not start the guest at all."""
    return GuestStopped(Outcome.HOST_ERROR, Failure("HostError", message))
