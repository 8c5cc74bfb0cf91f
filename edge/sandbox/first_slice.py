"""A short guest from its store to its answer in one call of C: `first_slice.c`, where it was built.

Most guests answer within their first slice and wait for nothing. Such a guest needs no fiber, and
step by step through ctypes it takes 15 µs, in one call 4. Where edge was installed without a C
compiler there is no such library, and every guest starts on a fiber, as the others do.

Neighbours: `modules.py` gives it to the modules that qualify; `runtime.py` calls `run`, and
`execution.py` calls `rest` for what that left.
Invariant: the block is used by one call at a time, on the event loop; what a call leaves open is
the instance's before anything else happens.
"""

import ctypes
import struct
from enum import IntEnum
from pathlib import Path
from typing import Self

from wasmtime import _ffi

from edge.model.limits import KIB
from edge.sandbox import stop
from edge.sandbox.instance import TABLE_ELEMENTS_MAX, Instance
from edge.sandbox.memories import LIBRARY
from edge.sandbox.seats import MEMORY_WORDS

ANSWER_BYTES_MAX = 64 * KIB
"""Longer answers are copied from the guest's memory, once."""

_FUNCTIONS = (
    "wasmtime_store_new",
    "wasmtime_store_context",
    "wasmtime_store_limiter",
    "wasmtime_store_delete",
    "wasmtime_context_set_fuel",
    "wasmtime_context_get_fuel",
    "wasmtime_instance_pre_instantiate",
    "wasmtime_instance_export_get",
    "wasmtime_func_call_unchecked",
    "wasmtime_memory_data",
    "wasmtime_memory_data_size",
)
# The block's words, as in first_slice.c: what is set once, then what each call says.
_SETTINGS = len(_FUNCTIONS)
_SAID = _SETTINGS + 6
_STORE, _CONTEXT, _TRAP, _ERROR, _FUEL, _MEMORY_BYTES, _RESTORED, _POINTER, _LENGTH = range(
    _SAID, _SAID + 9
)
_MEMORY = _SAID + 9 + 2
_WORDS = _MEMORY + 2 * 4 + 2 * 2


class Stage(IntEnum):
    """How far the call came, as in first_slice.c."""

    DONE = 0
    OPEN = 1
    STOPPED = 2
    NO_ROOM = 3
    OUTSIDE_IN = 4
    OUTSIDE_OUT = 5


_DONE = int(Stage.DONE)  # reading an enum's member costs as much as the comparison


class FirstSlice:
    """The library, and the block through which it is talked to. Lives as long as its engine."""

    def __init__(
        self, library: ctypes.PyDLL, engine: int, kept_bytes_max: int, closed_bytes_max: int
    ) -> None:
        """A guest with more memory than `closed_bytes_max` is left to be closed when its answer has
        left, one with more than `kept_bytes_max` is left open, to be closed by a thread."""
        pointer, number = ctypes.c_void_p, ctypes.c_uint64
        said = (pointer, pointer, pointer, number, ctypes.c_int64, number)
        self._restore = library["edge_restore"]
        self._restore.argtypes = said
        self._answer = library["edge_answer"]
        self._answer.argtypes = (*said, ctypes.c_char_p, ctypes.c_size_t)
        self._block = ctypes.create_string_buffer(_WORDS * 8)
        self._kept = ctypes.create_string_buffer(ANSWER_BYTES_MAX)
        self._stage = _DONE
        self._address = ctypes.addressof(self._block)
        self._words = memoryview(self._block).cast("B").cast("Q")
        self._bytes = memoryview(self._kept).cast("B")
        wasmtime = ctypes.PyDLL(str(_ffi.filename))
        functions = [ctypes.cast(wasmtime[name], pointer).value or 0 for name in _FUNCTIONS]
        answer = ctypes.addressof(self._kept)
        bounds = (TABLE_ELEMENTS_MAX, kept_bytes_max, closed_bytes_max)
        settings = (engine, *bounds, answer, ANSWER_BYTES_MAX)
        struct.pack_into(f"{_SAID}Q", self._block, 0, *functions, *settings)

    @classmethod
    def load(
        cls, engine: int, kept_bytes_max: int, closed_bytes_max: int, path: Path = LIBRARY
    ) -> Self | None:
        """The library for an engine; None where it was not built, or not from this source."""
        try:
            library = ctypes.PyDLL(str(path))
            block_bytes = library["edge_block_bytes"]
        except (OSError, AttributeError):
            return None
        block_bytes.restype = ctypes.c_uint64
        if block_bytes() != _WORDS * 8:
            return None
        return cls(library, engine, kept_bytes_max, closed_bytes_max)

    def run(self, instance: Instance, event: bytes) -> bytes | None:
        """The answer of a guest that is over then, and perhaps to be closed; None when there is
        something left to say of it, which `rest` must be asked for next."""
        allowance, words = instance.allowance, self._words
        self._stage = stage = self._answer(
            self._address,
            instance.module.pre_at_once,
            instance.module.images.pointer,
            instance.seat.number,
            allowance.memory_bytes_max,
            allowance.first_slice_fuel,
            event,
            len(event),
        )
        instance.restored_ns = words[_RESTORED]
        if stage != _DONE:
            self._adopt(instance)
            return None
        instance.used_fuel = allowance.first_slice_fuel - words[_FUEL]
        instance.memory_left_bytes = words[_MEMORY_BYTES]
        if words[_STORE]:
            instance.hold(words[_STORE], words[_CONTEXT])
        length = words[_LENGTH]
        return None if length > allowance.answer_bytes_max else bytes(self._bytes[:length])

    def rest(self, instance: Instance, event: bytes) -> bytes:
        """What `run` left of a guest: its answer, where that or its memory is large.

        Raises GuestStopped, and SliceOverran when it did not fit its slice: nothing was shown to
        anyone by then, so the guest is started again, and cannot tell.
        """
        words = self._words
        if words[_TRAP] or words[_ERROR]:
            instance.fail(words[_TRAP], words[_ERROR])
        if self._stage == Stage.NO_ROOM:
            raise stop.no_room(len(event))
        if self._stage == Stage.OUTSIDE_IN:
            instance.put(words[_POINTER], event)  # which raises, saying where
        return instance.get(words[_POINTER], words[_LENGTH])

    def restore(self, instance: Instance) -> None:
        """Only start the guest. Raises as `rest`."""
        allowance, words = instance.allowance, self._words
        self._restore(
            self._address,
            instance.module.pre_at_once,
            instance.module.images.pointer,
            instance.seat.number,
            allowance.memory_bytes_max,
            allowance.first_slice_fuel,
        )
        instance.restored_ns = words[_RESTORED]
        self._adopt(instance)
        if words[_TRAP] or words[_ERROR]:
            instance.fail(words[_TRAP], words[_ERROR])

    def _adopt(self, instance: Instance) -> None:
        """Hand what is left open to its instance."""
        words = self._words
        if instance.restored_ns:
            instance.seat.words[MEMORY_WORDS] = words[_MEMORY : _MEMORY + 4]
        instance.adopt(words[_STORE], words[_CONTEXT])
