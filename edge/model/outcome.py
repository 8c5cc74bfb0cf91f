"""How an invocation ended: a closed list, and the value or error that came with it.

Neighbours: `sandbox/` produces them, `meter/` records them, `front/` maps them to HTTP.
Invariant: a guest can end in one of these ways and in no other.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Every way an invocation can end."""

    OK = "ok"
    GUEST_ERROR = "guest_error"
    GUEST_TRAP = "guest_trap"
    TIMEOUT = "timeout"
    CPU_EXCEEDED = "cpu_exceeded"
    OUT_OF_MEMORY = "out_of_memory"
    DENIED = "denied"
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"
    CANCELED = "canceled"
    HOST_ERROR = "host_error"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in Lambda's words: `errorType`, `errorMessage`, `stackTrace`."""

    type: str
    message: str
    stack: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Lambda's error object."""
        return {
            "errorType": self.type,
            "errorMessage": self.message,
            "stackTrace": list(self.stack),
        }
