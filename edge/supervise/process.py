"""One worker process, as its supervisor sees it: started, asked, told to leave, gone.

Neighbours: `worker.py` is the other end of both pipes; `supervisor.py` decides.
Invariant: the process ends when its lifeline is closed, so none outlives its supervisor for long.
"""

import contextlib
import json
import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from edge.config import Settings
from edge.model.limits import MIB
from edge.supervise.systemd import LISTEN, NOTIFY

READY = "ready"
FAILED = "failed "
HANDOVER = "EDGE_HANDOVER"
_OWN_VARIABLES = {NOTIFY, HANDOVER, *LISTEN}
_ANSWER_BYTES_MAX = 4_096
_OWN_MAPPING_BYTES_MAX = 32 * MIB
"""The most that glibc takes for what gets a mapping of its own."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is started with: its column of the counters, and descriptors of its sockets.

    `lock` is kept open by it, no more: the directory counts as served while it runs.
    """

    settings: Settings
    column: int
    sockets: tuple[int, int]
    lock: int


class WorkerProcess:
    """A child of this process. `answer` is where it says how its start went, -1 once it did.

    What it is doing must be done at `due_s` on the monotonic clock.
    """

    def __init__(self, pid: int, column: int, lifeline: int, answer: int = -1) -> None:
        self.pid = pid
        self.column = column
        self.lifeline = lifeline
        self.answer = answer
        self.failure = "a worker did not start; its error stands above"
        self.due_s = math.inf

    @classmethod
    def start(cls, order: Order) -> Self:
        """Start one; it answers when it serves. Raises OSError."""
        order_read, lifeline = os.pipe()
        answer, answer_write = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, order_read, 0), (os.POSIX_SPAWN_DUP2, answer_write, 1)]
        command = [sys.executable, "-m", "edge.worker"]
        environment = _environment(order.settings.host.heap_kept_bytes_max)
        try:
            with inheritable((*order.sockets, order.lock)):
                pid = os.posix_spawn(
                    command[0],
                    command,
                    environment,
                    file_actions=actions,
                    setsid=True,  # Ctrl-C is for the supervisor, which passes it on
                    setsigmask=(),
                )
        except OSError:
            os.close(lifeline)
            os.close(answer)
            raise
        finally:
            os.close(order_read)
            os.close(answer_write)
        document = json.dumps(asdict(order), default=str).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):  # it died already, which shows soon enough
            os.write(lifeline, document)
        return cls(pid, order.column, lifeline, answer)

    def read_answer(self) -> bool:
        """Whether it serves now; else `failure` says why not, and it is about to end. To be called
        once, when there is something to read."""
        said = os.read(self.answer, _ANSWER_BYTES_MAX).decode(errors="replace").strip()
        self._close_answer()
        if said.startswith(FAILED):
            self.failure = said.removeprefix(FAILED)
        return said == READY

    def poll(self) -> int | None:
        """The exit status, minus the signal's number after a signal; None while it runs."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        return os.waitstatus_to_exitcode(status) if pid else None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; it must not have been reaped."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        """Close the pipes to a process that is gone."""
        os.close(self.lifeline)
        self._close_answer()

    def _close_answer(self) -> None:
        if self.answer >= 0:
            os.close(self.answer)
        self.answer = -1


def _environment(heap_kept_bytes_max: int) -> dict[str, str]:
    """Ours, and how much free heap glibc keeps: by itself it would give the memory of each large
    body back and take it anew for the next, a page at a time (3,000 faults for 6 MiB both ways)."""
    environment = {k: v for k, v in os.environ.items() if k not in _OWN_VARIABLES}
    if heap_kept_bytes_max:
        own = min(heap_kept_bytes_max // 2, _OWN_MAPPING_BYTES_MAX)
        environment.setdefault("MALLOC_TRIM_THRESHOLD_", str(heap_kept_bytes_max))
        environment.setdefault("MALLOC_MMAP_THRESHOLD_", str(own))
    return environment


@contextlib.contextmanager
def inheritable(descriptors: Sequence[int]) -> Iterator[None]:
    """Let what is started inside keep these descriptors, under their numbers."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
