"""A guest's linear memory, as host functions see it.

Neighbours: the sandbox implements `Memory`; everything in this room reads and writes through it.
Invariant: both operations check the whole range first, so a bad pointer changes nothing.
"""

from typing import Protocol


class MemoryFault(Exception):
    """A guest passed a range outside its memory; it ends as a trap would end it."""


class Memory(Protocol):
    """Linear memory of one instance; pointers and lengths are in bytes."""

    def read(self, pointer: int, length: int) -> bytes:
        """A copy of `length` bytes; raises MemoryFault when any of them lies outside."""

    def write(self, pointer: int, data: bytes) -> None:
        """Copy `data` in; raises MemoryFault, having written nothing."""
