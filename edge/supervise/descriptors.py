"""How many descriptors the processes of a host may have open: a connection is one of them.

Neighbours: `serve.py` asks before the first worker starts, for workers inherit the limit.
Invariant: only this process's soft limit changes, and never downwards.
"""

from dataclasses import replace

import structlog

from edge.config import DoorSettings

try:
    import resource
except ImportError:  # not everywhere
    resource = None  # type: ignore[assignment]

OTHERS = 1_024
"""What a worker has open besides connections: databases, segments, modules, fetches."""

_log = structlog.get_logger(__name__)


def fit_connections(door: DoorSettings) -> DoorSettings:
    """Raise the soft limit to what `connections_max` needs; the settings that it then allows.

    Where the machine's hard limit is lower, a worker takes fewer connections, so that one too many
    is told so instead of waiting unaccepted, and the control plane has room whatever the data plane
    has. That is logged when the number was not the default.
    """
    if resource is None:
        return door
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    control = door.of_control
    reserve = door.refused_max + control.connections_max + control.refused_max + OTHERS
    wanted = door.connections_max + reserve
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return door
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    if allowed == wanted:
        return door
    fitting = min(door.connections_max, max(allowed - reserve, allowed // 2))
    if door.connections_max != DoorSettings().connections_max:
        _log.warning(
            "connections_limited",
            connections_max=fitting,
            advice=f"raise the hard limit to {wanted} (ulimit -Hn; LimitNOFILE of systemd)",
        )
    of_control = min(control.connections_max, allowed // 8)
    return replace(door, connections_max=fitting, control_connections_max=of_control)
