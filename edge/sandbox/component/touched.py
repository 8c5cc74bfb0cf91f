"""How much memory a guest touched first, by the page faults its thread took while it ran.

Neighbours: `instance.py` counts its polls; the bounds of `ready.py` rest on it, and where memories
are a pool's, which tells no component's size, so do its usage and the choice of who closes it.
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

    @property
    def bytes(self) -> int:
        """What was touched so far, in whole pages."""
        return self._faults * mmap.PAGESIZE
