"""How many invocations run on this host, counted without locks over all its workers.

A file of counters is mapped by every worker: one row for each function, one column for each
worker. A worker writes only its own column and sums rows to admit, so there is nothing to lock;
two workers that admit in the same microsecond can overshoot by at most workers − 1.

Neighbours: `invoker.py` enters and leaves; the supervisor clears a dead worker's column.
Invariant: a column is written by one process at a time.
"""

import mmap
from pathlib import Path
from typing import Self

_CELL_BYTES = 4


class Occupancy:
    """The counters of one host, seen from one worker (0 ≤ `worker` < `workers`)."""

    def __init__(self, path: Path, functions_max: int, workers: int, worker: int) -> None:
        size = (functions_max + 1) * workers * _CELL_BYTES
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.seek(0, 2) < size:
                file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        self._cells = memoryview(self._map).cast("I")
        self._workers = workers
        self._worker = worker
        self._total = functions_max * workers  # the last row is the host's
        self.clear(worker)

    @classmethod
    def fresh(cls, path: Path, functions_max: int, workers: int) -> Self:
        """A new file of zeros, for a host that starts."""
        path.unlink(missing_ok=True)
        return cls(path, functions_max, workers, 0)

    def host(self) -> int:
        """Invocations running on the host."""
        return sum(self._cells[self._total : self._total + self._workers])

    def function(self, slot: int) -> int:
        """Invocations of one function running on the host."""
        row = slot * self._workers
        return sum(self._cells[row : row + self._workers])

    def enter(self, slot: int) -> None:
        """Count one more."""
        self._cells[slot * self._workers + self._worker] += 1
        self._cells[self._total + self._worker] += 1

    def leave(self, slot: int) -> None:
        """Count one less."""
        self._cells[slot * self._workers + self._worker] -= 1
        self._cells[self._total + self._worker] -= 1

    def clear(self, worker: int) -> None:
        """Forget what a worker that died was running."""
        for cell in range(worker, len(self._cells), self._workers):
            self._cells[cell] = 0

    def close(self) -> None:
        """Unmap the file."""
        self._cells.release()
        self._map.close()
