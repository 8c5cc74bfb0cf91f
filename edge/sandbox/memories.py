"""Memories of our own making for Wasmtime: `memories.c`, where it was built and the kernel can.

Neighbours: `engine.py` has one for the engine that runs modules; `modules.py` opens the image of
each module it loads, which `snapshot/strip.py` took out of it at deploy; `instance.py` and
`first_slice.c` say which image a guest is started from.
Invariant: an image is closed when its module is let go; guests that still run keep it.
"""

import ctypes
import os
import struct
from pathlib import Path
from typing import Self

from wasmtime import _ffi

from edge.model.limits import MIB

LIBRARY = Path(__file__).with_name("libfirst_slice.so")
KEPT_PAGES_MAX = 512
"""Of one image: what guests write is kept for the next ones up to 2 MiB."""
KEPT_BYTES_MAX = 64 * MIB
"""In all free memories of a worker."""

_pointer, _size = ctypes.c_void_p, ctypes.c_size_t


class Memories:
    """What makes memories for one engine. Lives as long as it."""

    def __init__(self, library: ctypes.PyDLL, pool: int) -> None:
        """`pool` is what `edge_memories_open` gave."""
        self._pool = pool
        self._open = library["edge_image_open"]
        self._open.restype = _pointer
        self._open.argtypes = (_pointer, ctypes.c_char_p, _size, _size)
        self.use = library["edge_image_use"]
        self.use.restype = None
        self.use.argtypes = (_pointer,)
        self.close = library["edge_image_close"]
        self.close.restype = None
        self.close.argtypes = (_pointer,)
        self._kept = library["edge_memories_kept_bytes"]
        self._kept.restype = _size
        self._kept.argtypes = (_pointer,)
        self._creator = library["edge_memories_creator"]
        self._creator.restype = _pointer
        self._creator.argtypes = (_pointer,)
        self._stacks = library["edge_stacks_open"]
        self._stacks.argtypes = (_pointer, _pointer)

    @classmethod
    def open(
        cls, slots: int, reservation_bytes: int, guard_bytes: int, path: Path = LIBRARY
    ) -> Self | None:
        """None where the library was not built, or the kernel does not tell what was written."""
        try:
            library = ctypes.PyDLL(str(path))
            opens = library["edge_memories_open"]
        except (OSError, AttributeError):
            return None
        opens.restype = _pointer
        sizes = (slots, reservation_bytes, guard_bytes, KEPT_PAGES_MAX, KEPT_BYTES_MAX)
        pool = opens(struct.pack("6Q", *sizes, _error_new()))
        return cls(library, pool) if pool else None

    def give_to(self, config: int) -> None:
        """Have the engine of this configuration make its memories and its fibers' stacks so."""
        wasmtime = ctypes.PyDLL(str(_ffi.filename))
        for name, creator in (
            ("wasmtime_config_host_memory_creator_set", self._creator(self._pool)),
            ("wasmtime_config_host_stack_creator_set", self._stack_creator()),
        ):
            setter = wasmtime[name]
            setter.restype = None
            setter.argtypes = (_pointer, _pointer)
            setter(config, creator)

    def _stack_creator(self) -> int:
        """Wasmtime copies what is at this address."""
        self._stack_words = ctypes.create_string_buffer(3 * ctypes.sizeof(_pointer))
        address = ctypes.addressof(self._stack_words)
        if not self._stacks(address, _error_new()):
            raise MemoryError("no memory for an engine's stacks")
        return address

    def open_image(self, path: Path, size_bytes: int) -> int:
        """An image of that size, which begins as a file does and is zero from there.

        Raises OSError when it cannot be mapped.
        """
        name = os.fsencode(path)
        image: int | None = self._open(self._pool, name, path.stat().st_size, size_bytes)
        if not image:
            raise OSError(f"{path} cannot be mapped")
        return image

    @property
    def kept_bytes(self) -> int:
        """How much of all free memories is kept mapped."""
        kept: int = self._kept(self._pool)
        return kept


def _error_new() -> int:
    """The address of what makes an error for Wasmtime."""
    wasmtime = ctypes.PyDLL(str(_ffi.filename))
    return ctypes.cast(wasmtime["wasmtime_error_new"], _pointer).value or 0
