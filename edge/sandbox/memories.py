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

from edge.model.limits import MIB
from edge.sandbox import raw

LIBRARY = Path(__file__).with_name("libfirst_slice.so")
"""What the C files of this folder are compiled to."""
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
        images = (_pointer, _pointer, ctypes.c_char_p, _size, _size)
        self._open = raw.function_of(library, "edge_image_open", *images)
        self.use = raw.function_of(library, "edge_image_use", None, _pointer)
        self.close = raw.function_of(library, "edge_image_close", None, _pointer)
        self._kept = raw.function_of(library, "edge_memories_kept_bytes", _size, _pointer)
        self._creator = raw.function_of(library, "edge_memories_creator", _pointer, _pointer)
        self._stacks = raw.function_of(
            library, "edge_stacks_open", ctypes.c_int, _pointer, _pointer
        )

    @classmethod
    def open(
        cls, slots: int, reservation_bytes: int, guard_bytes: int, path: Path = LIBRARY
    ) -> Self | None:
        """None where the library was not built, or the kernel does not tell what was written."""
        try:
            library = ctypes.PyDLL(str(path))
            opens = raw.function_of(library, "edge_memories_open", _pointer, ctypes.c_char_p)
        except (OSError, AttributeError):
            return None
        sizes = (slots, reservation_bytes, guard_bytes, KEPT_PAGES_MAX, KEPT_BYTES_MAX)
        pool = opens(struct.pack("6Q", *sizes, raw.error_new()))
        return cls(library, pool) if pool else None

    def give_to(self, config: int) -> None:
        """Have the engine of this configuration make its memories and its fibers' stacks so."""
        raw.memory_creator_set(config, self._creator(self._pool))
        words = ctypes.create_string_buffer(3 * ctypes.sizeof(_pointer))
        if not self._stacks(ctypes.addressof(words), raw.error_new()):
            raise MemoryError("no memory for an engine's stacks")
        raw.stack_creator_set(config, ctypes.addressof(words))  # which copies it

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
