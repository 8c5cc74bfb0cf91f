"""systemd's two protocols: sockets it passes (sd_listen_fds), and word to it (sd_notify).

Neighbours: `listeners.py` serves on the sockets, `supervisor.py` says what goes on.
Invariant: without systemd's variables nothing here does anything.
"""

import os
import socket
import time
from collections.abc import MutableMapping

from edge.model.errors import Unsupported

NOTIFY = "NOTIFY_SOCKET"
LISTEN = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
NAMES = ("http", "control")
SOCKETS_MAX = 128
_FIRST = 3


def take_sockets(environment: MutableMapping[str, str]) -> dict[str, list[socket.socket]]:
    """The listening sockets passed to this process, by name; the variables are taken, too.

    None when they are meant for another process. Raises Unsupported for one that no door can use.
    """
    count, owner, names = (environment.pop(name, "") for name in LISTEN)
    passed: dict[str, list[socket.socket]] = {name: [] for name in NAMES}
    if owner != str(os.getpid()) or not count.isdecimal():
        return passed
    if int(count) > SOCKETS_MAX:
        raise Unsupported(f"systemd passed {count} sockets: at most {SOCKETS_MAX} are taken")
    named = names.split(":") if names else []
    for index in range(int(count)):
        name = named[index] if index < len(named) else "unknown"
        if name not in passed:
            raise Unsupported(
                f"systemd passed a socket named {name!r}: write FileDescriptorName=http or"
                " =control in its unit"
            )
        os.set_inheritable(_FIRST + index, False)
        passed[name].append(_listening(name, _FIRST + index))
    return passed


def _listening(name: str, descriptor: int) -> socket.socket:
    sock = socket.socket(fileno=descriptor)
    internet = sock.family in (socket.AF_INET, socket.AF_INET6)
    if not internet or sock.type != socket.SOCK_STREAM:
        raise Unsupported(f"the socket {name!r} that systemd passed is no TCP socket")
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise Unsupported(f"the socket {name!r} does not listen: write Accept=no in its unit")
    return sock


def notify(*words: str) -> None:
    """Tell systemd, if it asked to be told; a systemd that does not hear is no failure."""
    address = os.environ.get(NOTIFY)
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            sock.send("\n".join(words).encode())
    except OSError:
        return


def notify_reloading(status: str) -> None:
    """Say that a reload began; it ends with READY=1."""
    now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    notify("RELOADING=1", f"MONOTONIC_USEC={now_us}", f"STATUS={status}")
