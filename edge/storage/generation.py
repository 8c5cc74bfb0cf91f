"""The generation number: one counter that every process on the host sees change at once.

Neighbours: `registry/` compares it on every request (30 ns, where a query takes microseconds)
and bumps it after each commit.
Invariant: the number only grows, and no two bumps give the same one.
"""

import mmap
import os
from pathlib import Path
from threading import Lock

from edge.storage.failures import storage_failure
from edge.storage.locks import locked

_BYTES = 8


class Generation:
    """An 8-byte counter in a file that is mapped into memory; it starts at 0.

    It tells processes apart from nothing but change: what changed is in the database. It need not
    survive a crash, because a process that starts has nothing cached.
    """

    def __init__(self, path: Path) -> None:
        """Map the file, creating it if need be. Raises StorageFailure."""
        self._threads = Lock()  # a file lock only keeps processes apart
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with locked(self._descriptor):
                if os.fstat(self._descriptor).st_size < _BYTES:
                    # Written, not truncated to size: touching a hole on a full disk is a SIGBUS.
                    os.pwrite(self._descriptor, bytes(_BYTES), 0)
            self._map = mmap.mmap(self._descriptor, _BYTES)
        except OSError as error:
            raise storage_failure(path, error) from error
        # One aligned 8-byte load or store each, so a reader never sees half a number.
        self._counter = memoryview(self._map).cast("Q")

    def current(self) -> int:
        """The number now."""
        return self._counter[0]

    def bump(self) -> int:
        """Raise the number by one and return it; other processes see it at their next look."""
        with self._threads, locked(self._descriptor):
            self._counter[0] += 1
            return self._counter[0]

    def close(self) -> None:
        """Unmap the file; the object is of no use afterwards."""
        self._counter.release()
        self._map.close()
        os.close(self._descriptor)
