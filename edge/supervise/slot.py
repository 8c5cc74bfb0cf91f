"""The place of one worker, and the processes that hold it: one serves, another comes or goes.

Neighbours: `supervisor.py` moves processes through it.
Invariant: at most two processes at a time, in different columns of the counters.
"""

from dataclasses import dataclass

from edge.supervise.process import WorkerProcess

OCCUPANCY = "occupancy"
"""The file of the counters, under the data directory."""
COLUMNS = 2
"""Columns a slot has: for the process that serves, and for the one that replaces it."""


@dataclass(slots=True)
class Slot:
    """`number` is its place among the others. `starting` will serve, `leaving` did."""

    number: int
    sockets: tuple[int, int]
    serving: WorkerProcess | None = None
    starting: WorkerProcess | None = None
    leaving: WorkerProcess | None = None

    @property
    def processes(self) -> tuple[WorkerProcess, ...]:
        """All that live."""
        held = (self.serving, self.starting, self.leaving)
        return tuple(each for each in held if each is not None)

    @property
    def is_settled(self) -> bool:
        """Whether one process serves, and no other comes or goes."""
        return self.serving is not None and self.starting is None and self.leaving is None

    def free_column(self) -> int:
        """A column that no process of this slot writes."""
        taken = {each.column for each in self.processes}
        return next(c for c in columns_of(self.number) if c not in taken)

    def promote(self) -> None:
        """The process that started serves now; the one that served before leaves."""
        self.serving, self.leaving, self.starting = self.starting, self.serving, None

    def remove(self, process: WorkerProcess) -> None:
        """Forget a process that is gone."""
        if process is self.serving:
            self.serving = None
        elif process is self.starting:
            self.starting = None
        else:
            self.leaving = None


def columns_of(number: int) -> range:
    """The columns of a slot."""
    return range(number * COLUMNS, (number + 1) * COLUMNS)
