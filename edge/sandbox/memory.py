"""A guest's linear memory as the host sees it: two operations, each bounds checked.

Neighbours: `host/` reads and writes through it (`host/memory.py` is the protocol).
Invariant: no address outside the guest's present memory is ever touched.
"""

from edge.host.memory import MemoryFault
from edge.sandbox import raw


class GuestMemory:
    """The exported memory of one instance. Its base never moves; it may grow."""

    __slots__ = ("_base", "_context", "_item", "_size")

    def __init__(self, context: int, item: int) -> None:
        self._context = context
        self._item = item
        self._base: int = raw.memory_data(context, item) or 0
        self._size = 0  # asked for when first needed: a check that fails asks again

    @property
    def size_bytes(self) -> int:
        """The present size."""
        self._size = raw.memory_size(self._context, self._item)
        return self._size

    def read(self, pointer: int, length: int) -> bytes:
        """A copy of `length` bytes at `pointer`; raises MemoryFault when any lies outside."""
        if pointer < 0 or length < 0 or pointer + length > self._size:
            self._check(pointer, length)
        return raw.copy_out(self._base + pointer, length)

    def write(self, pointer: int, data: bytes) -> None:
        """Copy `data` to `pointer`; raises MemoryFault, having written nothing."""
        length = len(data)
        if pointer < 0 or pointer + length > self._size:
            self._check(pointer, length)
        raw.copy_in(self._base + pointer, data, length)

    def _check(self, pointer: int, length: int) -> None:
        size = self.size_bytes  # it may have grown since
        if pointer < 0 or length < 0 or pointer + length > size:
            raise MemoryFault(
                f"{length} bytes at {pointer} lie outside the guest's memory of {size} bytes"
            )
