"""How much memory a guest touched, by the page faults its thread took while it ran.

Neighbours: `instance.py` counts its polls, since the C API does not tell a component's size; the
bounds of `ready.py` and the choice of who closes a guest rest on it.
"""

import mmap
import resource

_WHO: int = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class Touched:
    """Counts between `begin` and `end`, both on one thread."""

    __slots__ = ("_before", "_faults")

    def __init__(self) -> None:
        self._faults = 0
        self._before = 0

    def begin(self) -> None:
        """The guest runs."""
        self._before = resource.getrusage(_WHO).ru_minflt

    def end(self) -> None:
        """It does not run any more."""
        self._faults += resource.getrusage(_WHO).ru_minflt - self._before

    def add(self, bytes_ahead: int) -> None:
        """What was faulted in for it, and so will not be counted."""
        self._faults += bytes_ahead // mmap.PAGESIZE

    @property
    def bytes(self) -> int:
        """What was touched so far, in whole pages."""
        return self._faults * mmap.PAGESIZE
