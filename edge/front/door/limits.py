"""How much of a peer's bytes and time a connection takes.

Neighbours: `message.py` counts bytes, `server.py` sweeps those that are too slow.
"""

from dataclasses import dataclass

from edge.model.limits import KIB, MIB


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Bounds of a connection; times are in seconds and begin anew with each message."""

    payload_bytes_max: int = 6 * MIB
    target_bytes_max: int = 8 * KIB
    headers_max: int = 100
    header_bytes_max: int = 32 * KIB
    requests_max: int = 100_000
    connections_max: int = 20_000
    head_s: float = 10.0
    body_grace_s: float = 10.0
    body_bytes_per_s_min: int = 1 * KIB
    idle_s: float = 60.0
    write_s: float = 30.0
    linger_s: float = 2.0
