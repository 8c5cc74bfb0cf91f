"""What the tests of this room see of a running host from outside: processes and counters.

Neighbours: `tests/running.py` starts the host.
"""

import os
import signal
import time
from array import array
from pathlib import Path

from edge.supervise.slot import COLUMNS, OCCUPANCY
from tests.running import Server

TIMEOUT_S = 60


def worker_pids(server: Server) -> list[int]:
    """The workers of a host, oldest first."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in children.split() if _is_worker(int(pid))]


def _is_worker(pid: int) -> bool:
    try:
        return b"edge.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended before or while it was read
        return False


def await_new_workers(server: Server, before: list[int], count: int) -> None:
    """Wait until `count` workers are there and none of `before`."""
    until = time.monotonic() + TIMEOUT_S
    while len(now := worker_pids(server)) != count or set(now) & set(before):
        assert time.monotonic() < until, f"workers {now}, before {before}"
        assert server.process.poll() is None, server.stderr_path.read_text()
        time.sleep(0.02)


def replace_workers(server: Server, number: signal.Signals, count: int) -> None:
    """Send the host a signal that replaces its workers, and wait until it did."""
    before = worker_pids(server)
    os.kill(server.process.pid, number)
    await_new_workers(server, before, count)


def running(server: Server, workers: int) -> list[int]:
    """How many invocations each column of the counters has."""
    cells = array("I", (server.data / OCCUPANCY).read_bytes())
    return list(cells[-workers * COLUMNS :])


def await_running(server: Server, workers: int, count: int) -> list[int]:
    """Wait until `count` invocations run; the columns."""
    until = time.monotonic() + TIMEOUT_S
    while sum(columns := running(server, workers)) != count:
        assert time.monotonic() < until, f"running: {columns}"
        time.sleep(0.02)
    return columns
