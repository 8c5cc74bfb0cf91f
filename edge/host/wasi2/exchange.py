"""One HTTP request that a `wasi:http` guest answers, and what it writes bodies into.

Neighbours: the sandbox makes it of an event and reads what became of it; `http_server.py` fills it.
The answer itself goes by `host/response.py`, as any guest's does that is written piece by piece.
Invariant: what waits of a guest's bodies is within their budget.
"""

from dataclasses import dataclass

from edge.host.flow import Flow, StreamLimits
from edge.model.limits import MIB
from edge.model.pipe import Pipe

BODIES_BYTES_MAX = 32 * MIB

Headers = list[tuple[str, bytes]]
"""Names in lower case, in the order they came, repeated where they were repeated."""


@dataclass(frozen=True, slots=True)
class IncomingHttp:
    """A request as it reaches a guest. `path` has the query; `body` may still be on its way."""

    method: str
    scheme: str
    authority: str
    path: str
    headers: tuple[tuple[str, bytes], ...]
    body: Pipe


@dataclass(slots=True)
class Budget:
    """What all bodies of a guest together may still take of the host's memory."""

    bytes_left: int = BODIES_BYTES_MAX

    def reserve(self, size: int) -> bool:
        """Take so much of it, if there is so much."""
        if size > self.bytes_left:
            return False
        self.bytes_left -= size
        return True


class Body(Flow):
    """A body of a guest's. Its place in the budget is free again when nobody has it."""

    __slots__ = ("_budget", "_reserved")

    def __init__(self, limits: StreamLimits, budget: Budget) -> None:
        """The place is reserved already."""
        super().__init__(limits)
        self._budget = budget
        self._reserved = limits.buffer_bytes_max

    @classmethod
    def within(cls, limits: StreamLimits, budget: Budget) -> "Body | None":
        """One more body, if there is room for it."""
        return cls(limits, budget) if budget.reserve(limits.buffer_bytes_max) else None

    def __del__(self) -> None:
        self._budget.bytes_left += self._reserved


@dataclass(slots=True)
class Exchange:
    """The request, and the error code if the guest gave one for an answer."""

    request: IncomingHttp
    error: str | None = None
