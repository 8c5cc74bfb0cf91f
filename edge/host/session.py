"""Everything host functions know about one invocation.

Neighbours: `invoke/` makes one for each event, the sandbox hands it to every host function.
Invariant: it belongs to one guest and is used by one thread at a time; nothing in it outlives the
invocation.
"""

from dataclasses import dataclass, field

from edge.host.grants import GrantSet
from edge.host.log import LogBuffer
from edge.host.response import ResponseStream, Taker
from edge.model.limits import MIB

STDOUT_BYTES_MAX_DEFAULT = 6 * MIB


class GuestExit(Exception):
    """The guest called `proc_exit`: it is over, and `Session.exit_status` says how."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class FuelSpent(Exception):
    """The sandbox ends a guest with this when `host_fuel` and its own passed the limit."""


@dataclass(slots=True)
class Session:
    """Who runs, what it may do, its streams, and what its host calls have used so far.

    `deadline_ns` is on `time.monotonic_ns()`'s clock. `stdout` is None for guests whose standard
    output is log. `exit_status` is None until the guest calls `proc_exit`. `calls` counts host
    calls by operation. `host_fuel` is in fuel, `host_ns` in wall time. `response` is what the guest
    answers piece by piece, if it does; `taker` is told of it.
    """

    request_id: str
    function: str
    grants: GrantSet
    environment: tuple[tuple[str, str], ...]
    log: LogBuffer
    deadline_ns: int
    arguments: tuple[str, ...] = ()
    stdin: bytes = b""
    stdin_position: int = 0
    stdout: bytearray | None = None
    stdout_bytes_max: int = STDOUT_BYTES_MAX_DEFAULT
    stdout_full: bool = False
    streams_closed: int = 0
    exit_status: int | None = None
    calls: dict[str, int] = field(default_factory=dict)
    host_fuel: int = 0
    host_ns: int = 0
    response: ResponseStream | None = None
    taker: Taker | None = None

    def forget(self) -> None:
        """As if nothing had run yet: the guest is started again, and nobody saw the first try."""
        self.log.clear()
        self.calls.clear()
        self.stdin_position = self.host_fuel = self.host_ns = self.streams_closed = 0
        self.exit_status = None

    def charge(self, fuel: int) -> None:
        """Add to the bill; the sandbox ends the guest when it is too much."""
        self.host_fuel += fuel
