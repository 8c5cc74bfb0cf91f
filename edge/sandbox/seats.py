"""Seats: the reusable scratch memory and number that a guest has for one invocation.

A Wasmtime call wants addresses for its arguments, results, trap and error that stay put until the
call ends, perhaps many slices later. Making ctypes structures for each call costs more than the
call (28 µs, not 15), so each seat holds one block, made once and used by one guest after another.

Neighbours: `instance.py` sits on a seat; `imports.py` finds an instance by its seat's number.
Invariant: a seat belongs to one instance at a time; its trap and error are 0 except between a call
that failed and the reading of why; its arguments are of kind i32 except while a component has it;
a guest never sees its memory.
"""

import ctypes
from typing import TYPE_CHECKING

from edge.sandbox.raw import EXTERN_ITEM, KIND_I32, VAL_ITEM, VAL_SIZE

if TYPE_CHECKING:
    from edge.sandbox.component.instance import ComponentInstance
    from edge.sandbox.instance import Instance

# Byte offsets in the block; `words` counts the same block in eights.
_INSTANCE, _TRAP, _ERROR, _FUEL, _MEMORIES = 0, 16, 24, 32, 40
_MEMORY, _FUNCTION, _ARGUMENTS, _RESULT = 64, 96, 128, 192
_BLOCK_BYTES = 224

TRAP_WORD = _TRAP // 8
ERROR_WORD = _ERROR // 8
FUEL_WORD = _FUEL // 8
MEMORIES_WORD = _MEMORIES // 8  # and the next: how large, and what of it was mapped already
FIRST_WORD = (_ARGUMENTS + VAL_ITEM) // 8
SECOND_WORD = (_ARGUMENTS + VAL_SIZE + VAL_ITEM) // 8
RESULT_WORD = (_RESULT + VAL_ITEM) // 8
MEMORY_WORDS = slice(_MEMORY // 8, _FUNCTION // 8)


class Seat:
    """One block of scratch memory, its addresses, and who sits there."""

    __slots__ = (
        "arguments",
        "block",
        "component",
        "error",
        "fuel",
        "function",
        "function_item",
        "instance",
        "memories",
        "memory",
        "memory_item",
        "number",
        "result",
        "taker",
        "trap",
        "words",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.block = ctypes.create_string_buffer(_BLOCK_BYTES)
        base = ctypes.addressof(self.block)
        self.words = memoryview(self.block).cast("B").cast("Q")
        self.instance = base + _INSTANCE
        self.trap = base + _TRAP
        self.error = base + _ERROR
        self.fuel = base + _FUEL
        self.memories = base + _MEMORIES
        self.memory = base + _MEMORY
        self.memory_item = self.memory + EXTERN_ITEM
        self.function = base + _FUNCTION
        self.function_item = self.function + EXTERN_ITEM
        self.arguments = base + _ARGUMENTS
        self.result = base + _RESULT
        self.taker: Instance | None = None
        self.component: ComponentInstance | None = None

    def clear(self) -> None:
        """What a component left: kinds of arguments that a module's call does not have, which would
        end the process."""
        self.component = None
        words = self.words
        words[TRAP_WORD] = words[ERROR_WORD] = 0
        words[_ARGUMENTS // 8] = words[(_ARGUMENTS + VAL_SIZE) // 8] = KIND_I32


class Seats:
    """All seats of a process; `by_number[n]` answers in a callback whose guest is calling."""

    def __init__(self, count: int) -> None:
        # Number 0 is never given: a store's data of null would read the same.
        self.by_number = [Seat(number) for number in range(count + 1)]
        self._free = self.by_number[:0:-1]

    def take(self) -> Seat | None:
        """A free seat, or None when every one is taken."""
        return self._free.pop() if self._free else None

    def give_back(self, seat: Seat) -> None:
        """Return a seat whose store is gone. Safe from any thread: one append."""
        seat.taker = None
        self._free.append(seat)

    @property
    def taken(self) -> int:
        """How many guests are alive."""
        return len(self.by_number) - 1 - len(self._free)
