"""What one invocation used: the record that is journalled, shown in headers and billed.

Neighbours: `invoke/` makes it, `meter/` keeps it, `front/` shows it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from edge.model.outcome import Outcome

NO_CALLS: Mapping[str, int] = {}


class Usage(NamedTuple):
    """One journal record; a named tuple because one is made on every request (0.4 µs, not 2).

    Times: `time_ms` Unix ms at admission; `wall_us` from admission to result, of which
    `restore_us` went to the fresh instance and `host_us` to host calls.
    """

    time_ms: int
    request_id: str
    function: str
    version: str
    source: str
    outcome: Outcome
    fuel: int
    billed_ms: int
    memory_mb: int
    wall_us: int
    restore_us: int
    host_us: int
    memory_peak_bytes: int
    bytes_in: int
    bytes_out: int
    calls: Mapping[str, int] = NO_CALLS

    @property
    def guest_us(self) -> int:
        """Wall time that was neither restoring nor host calls."""
        return max(0, self.wall_us - self.restore_us - self.host_us)
