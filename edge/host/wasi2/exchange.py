"""One HTTP request that a `wasi:http` guest answers, and its answer as far as it came.

Neighbours: the sandbox makes it of an event and reads the answer; `http_server.py` fills it.
Invariant: a body never passes its `bytes_max`, nor all of a guest's bodies their budget.
"""

from dataclasses import dataclass, field

from edge.model.limits import MIB

BODIES_BYTES_MAX = 32 * MIB

Headers = list[tuple[str, bytes]]
"""Names in lower case, in the order they came, repeated where they were repeated."""


@dataclass(frozen=True, slots=True)
class IncomingHttp:
    """A request as it reaches a guest. `path` has the query."""

    method: str
    scheme: str
    authority: str
    path: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Budget:
    """What all bodies of a guest together may still take of the host's memory."""

    bytes_left: int = BODIES_BYTES_MAX


@dataclass(slots=True)
class Body:
    """A body in the host's memory. `finished` says that it is whole.

    What it took of the budget is given back when nobody can reach it any more.
    """

    budget: Budget
    bytes_max: int
    data: bytearray = field(default_factory=bytearray)
    finished: bool = False
    too_large: bool = False

    def __del__(self) -> None:
        self.budget.bytes_left += len(self.data)

    def write(self, data: bytes) -> str | None:
        """Take more of it; the code of why not."""
        if len(data) > min(self.bytes_max - len(self.data), self.budget.bytes_left):
            self.too_large = True
            return "insufficient-space"
        self.budget.bytes_left -= len(data)
        self.data += data
        return None


@dataclass(slots=True)
class HttpAnswer:
    """A response as a guest made it; without a body it is complete as it is."""

    status: int
    headers: Headers
    body: Body | None = None


@dataclass(slots=True)
class Exchange:
    """The request, and either the answer or the error code that the guest gave."""

    request: IncomingHttp
    body_bytes_max: int
    answer: HttpAnswer | None = None
    error: str | None = None
