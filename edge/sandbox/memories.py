"""Memories of our own making for Wasmtime: `memories.c`, where it was built and the kernel can.

Neighbours: `engine.py` has one for its engine; `modules.py` opens the images of each module it
loads, which `snapshot/strip.py` took out of it at deploy; `instance.py`, `first_slice.c` and
`component/instance.py` say which a guest is started from.
Invariant: only while a guest is being started, and on that thread, are its images in use.
"""

import ctypes
import mmap
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

from edge.model.limits import MIB
from edge.sandbox import raw
from edge.sandbox.snapshot.strip import MemoryContent

LIBRARY = Path(__file__).with_name("libfirst_slice.so")
"""What the C files of this folder are compiled to."""

FORMAT = 1
"""Of such a file, and of what `snapshot/strip.py` leaves in a module."""
HEAD_BYTES = 4_096
"""What a file of images begins with: how many there are, and of each where it begins in the file,
how many bytes of it are there, and its size. Each begins on a page."""

_pointer, _size = ctypes.c_void_p, ctypes.c_size_t
_COUNT, _PLACE = struct.Struct("<Q"), struct.Struct("<3Q")


def encode_images(images: Iterable[MemoryContent]) -> bytes:
    """The file of a guest's images."""
    head, contents, offset = bytearray(), bytearray(), HEAD_BYTES
    count = 0
    for image in images:
        count += 1
        head += _PLACE.pack(offset, len(image.content), image.size_bytes)
        padded = image.content + bytes(-len(image.content) % mmap.PAGESIZE)
        contents += padded
        offset += len(padded)
    return (_COUNT.pack(count) + head).ljust(HEAD_BYTES, b"\0") + contents


class Kept(NamedTuple):
    """How much memory that guests often write stays mapped for the next ones: of all free memories
    of a worker together, and of each."""

    bytes_max: int = 64 * MIB
    each_bytes_max: int = 2 * MIB


KEPT = Kept()


class Memories:
    """What makes memories for one engine. Lives as long as it."""

    def __init__(self, library: ctypes.PyDLL, pool: int) -> None:
        """`pool` is what `edge_memories_open` gave."""
        self._pool = pool
        image = (_pointer, ctypes.c_char_p, _size, _size, _size, _pointer)
        self._open = raw.function_of(library, "edge_image_open", _pointer, *image)
        self.use = raw.function_of(library, "edge_image_use", None, _pointer, _pointer)
        self.close = raw.function_of(library, "edge_image_close", None, _pointer)
        self._kept = raw.function_of(library, "edge_memories_kept_bytes", _size, _pointer)
        self._creator = raw.function_of(library, "edge_memories_creator", _pointer, _pointer)
        self._stacks = raw.function_of(
            library, "edge_stacks_open", ctypes.c_int, _pointer, _pointer
        )

    @classmethod
    def open(
        cls,
        slots: int,
        reservation_bytes: int,
        guard_bytes: int,
        kept: Kept = KEPT,
        path: Path = LIBRARY,
    ) -> Self | None:
        """None where the library was not built, or the kernel does not tell what was written."""
        try:
            library = ctypes.PyDLL(str(path))
            opens = raw.function_of(library, "edge_memories_open", _pointer, ctypes.c_char_p)
        except (OSError, AttributeError):
            return None
        each_pages_max = kept.each_bytes_max // mmap.PAGESIZE
        sizes = (slots, reservation_bytes, guard_bytes, each_pages_max, kept.bytes_max)
        pool = opens(struct.pack("6Q", *sizes, raw.error_new()))
        return cls(library, pool) if pool else None

    def give_to(self, config: int) -> None:
        """Have the engine of this configuration make its memories and its fibers' stacks so."""
        raw.memory_creator_set(config, self._creator(self._pool))
        words = ctypes.create_string_buffer(3 * ctypes.sizeof(_pointer))
        if not self._stacks(ctypes.addressof(words), raw.error_new()):
            raise MemoryError("no memory for an engine's stacks")
        raw.stack_creator_set(config, ctypes.addressof(words))  # which copies it

    def open_images(self, path: Path) -> "Images":
        """Those in a file. Raises OSError when it cannot be read or mapped."""
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        (count,) = _COUNT.unpack_from(head)
        places = [(0, 0, 0)]  # even of a guest without memories there is one
        places += [_PLACE.unpack_from(head, _COUNT.size + at * _PLACE.size) for at in range(count)]
        name, opened = os.fsencode(path), None
        for place in places:
            image = self._open(self._pool, name, *place, opened)
            if not image:
                self.close(opened)
                raise OSError(f"{path} cannot be mapped")
            opened = image
        return Images(self, opened)

    @property
    def kept_bytes(self) -> int:
        """How much of all free memories is kept mapped."""
        kept: int = self._kept(self._pool)
        return kept


class Images:
    """What the memories of one module's guests begin with. Lives as long as it is loaded; guests
    that still run keep theirs. Where memories are a pool's, it does nothing."""

    def __init__(self, memories: Memories | None = None, pointer: int | None = None) -> None:
        """`pointer` is what `edge_image_open` gave last."""
        self._memories = memories
        self.pointer = pointer

    @property
    def are_pooled(self) -> bool:
        """Whether Wasmtime has the memories, and tells nothing of them."""
        return self._memories is None

    def use(self, counts: int | None = None) -> None:
        """The guest that is started next on this thread, before it is done with, has these.

        At the address `counts` its memory is counted: how many bytes, and how many of them were
        mapped for it already.
        """
        if self._memories is not None:
            self._memories.use(self.pointer, counts)

    def put_away(self) -> None:
        """No guest of theirs is being started."""
        if self._memories is not None:
            self._memories.use(None, None)

    def __del__(self) -> None:
        if self._memories is not None:
            self._memories.close(self.pointer)
