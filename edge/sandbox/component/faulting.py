"""How much memory a guest touched, by the page faults this thread took while it ran.

Neighbours: `ready.py` bounds by it what waits, since the C API does not tell a component's size.
"""

import mmap
import resource

_WHO: int = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class Touched:
    """Counts from its making on."""

    __slots__ = ("_faults",)

    def __init__(self) -> None:
        self._faults = resource.getrusage(_WHO).ru_minflt

    def bytes(self) -> int:
        """What was touched since, in whole pages."""
        return (resource.getrusage(_WHO).ru_minflt - self._faults) * mmap.PAGESIZE
