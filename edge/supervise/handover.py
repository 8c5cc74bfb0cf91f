"""An upgrade in place: this process becomes the new version, and keeps what it holds.

The supervisor executes its own command line anew. Its process number, its children, its locks and
its listening sockets stay; what they are is told in one environment variable. Before that the new
version has rehearsed: it was started beside, read the same variable and the same options, and
ended well. If it did not, nothing has happened.

Neighbours: `supervisor.py` hands over, `serve.py` takes over.
Invariant: the variable is read by the process it names, once, and is never passed to a worker.
"""

import json
import os
import signal
import sys
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, replace

from edge.model.errors import Unsupported
from edge.supervise.process import HANDOVER, inheritable

FORMAT = 1
HANDLED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD}


@dataclass(frozen=True, slots=True)
class Handed:
    """A worker that runs on: its process, its column, and descriptors it has to do with."""

    pid: int
    column: int
    lifeline: int
    sockets: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Handover:
    """All that the next version must know. `counters` is functions and columns of the counters."""

    pid: int
    locks: tuple[int, int]
    counters: tuple[int, int]
    workers: tuple[Handed, ...]
    is_rehearsal: bool = False
    format: int = FORMAT

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> "Handover | None":
        """What was handed to this process, taken out of its environment.

        Raises Unsupported when a version that this one does not understand handed it over.
        """
        text = environment.pop(HANDOVER, None)
        if text is None:
            return None
        document = json.loads(text)
        if document.get("format") != FORMAT:
            raise Unsupported("the running edge cannot hand over to this version: restart the host")
        workers = tuple(
            Handed(**{**each, "sockets": tuple(each["sockets"])}) for each in document["workers"]
        )
        (host, lock), (functions, columns) = document["locks"], document["counters"]
        handed = cls(
            document["pid"],
            (host, lock),
            (functions, columns),
            workers,
            document["is_rehearsal"],
        )
        owner = os.getppid() if handed.is_rehearsal else os.getpid()
        return handed if handed.pid == owner else None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What must stay open."""
        kept = [number for worker in self.workers for number in (worker.lifeline, *worker.sockets)]
        return (*self.locks, *kept)

    def rehearse(self) -> int:
        """Start the new version to see whether it would take over: exit status 0 says that it
        would. Its process number; its errors go to stderr. Raises OSError."""
        program, *arguments = own_command()
        return os.posix_spawn(
            program,
            [program, *arguments],
            {**os.environ, HANDOVER: replace(self, is_rehearsal=True)._text()},
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
            setsigmask=(),
        )

    def execute(self) -> None:
        """Become the new version. Returns only by OSError, with everything as it was."""
        program, *arguments = own_command()
        environment = {**os.environ, HANDOVER: self._text()}
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes before the new version can handle it waits until it can.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        try:
            with inheritable(self.descriptors):
                os.execve(program, [program, *arguments], environment)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _text(self) -> str:
        return json.dumps(asdict(self))


def own_command() -> list[str]:
    """The command line of this process. A link in its path is followed anew, so it may lead to
    another version than the one that runs."""
    program, *arguments = sys.orig_argv
    return [program if os.sep in program else sys.executable, *arguments]
