"""One HTTP request that a `wasi:http` guest answers, and its answer as far as it came.

Neighbours: the sandbox makes it of an event and reads the answer; `http_server.py` fills it.
Invariant: an answer's body never passes `body_bytes_max`.
"""

from dataclasses import dataclass, field

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
class Exchange:
    """The request, and what the guest answered: `error` is its own error code, if it gave one."""

    request: IncomingHttp
    body_bytes_max: int
    status: int | None = None
    headers: Headers = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    finished: bool = True
    too_large: bool = False
    error: str | None = None
