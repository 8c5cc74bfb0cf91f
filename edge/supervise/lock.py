"""The locks of a data directory: one of the host, one that lasts as long as any of its workers.

Neighbours: `serve.py` takes them, `process.py` gives the second to each worker, `handover.py` keeps
both over an upgrade.
Invariant: one host at a time serves a data directory, counting what a killed host left running.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import structlog

from edge.model.errors import Conflict, StorageFailure

_log = structlog.get_logger(__name__)

TEMPORARY = "tmp"
_HOST = "lock"
_WORKERS = "lock-workers"
_PRIVATE = 0o700
_POLL_S = 0.05


class DataLock:
    """Both locks, held until `close`. The kernel drops them with the last process that has them."""

    def __init__(self, host: int, workers: int) -> None:
        self.host = host
        self.workers = workers

    @classmethod
    def take(cls, directory: Path, wait_s: float) -> Self:
        """Lock a directory and clear what a killed host left of its builds.

        A host that serves it is a Conflict at once; workers that a killed host left are finishing
        what they run, and are waited for, at most `wait_s`. Raises StorageFailure.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            host = _open(directory / _HOST)
            workers = _open(directory / _WORKERS)
        except OSError as error:
            raise StorageFailure(f"cannot use {directory}: {error.strerror}") from None
        lock = cls(host, workers)
        if not _lock(host):
            lock.close()
            raise Conflict(
                f"another edge host serves {directory}: stop it, or give --data another directory"
            )
        if not _lock(workers):
            _log.warning("awaiting_workers_of_a_killed_host", data=str(directory), wait_s=wait_s)
            until = time.monotonic() + wait_s
            while not _lock(workers):
                if time.monotonic() > until:
                    lock.close()
                    raise Conflict(
                        f"workers of a host that was killed still serve {directory}: end them"
                    )
                time.sleep(_POLL_S)
        shutil.rmtree(directory / TEMPORARY, ignore_errors=True)
        return lock

    @classmethod
    def inherit(cls, directory: Path, descriptors: Sequence[int]) -> Self:
        """The locks a former image of this process held. Raises Conflict if they are another's."""
        host, workers = descriptors
        for descriptor, name in ((host, _HOST), (workers, _WORKERS)):
            os.set_inheritable(descriptor, False)
            if not os.path.samestat(os.fstat(descriptor), os.stat(directory / name)):
                raise Conflict(f"{directory} is not what this host served before")
        return cls(host, workers)

    def close(self) -> None:
        """Let go of both."""
        os.close(self.host)
        os.close(self.workers)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
