"""The image of one memory: where it is not zero, and how it stays copy-on-write.

Neighbours: `capture` makes images of what it read, `rewrite` writes them as data segments.
Invariant: writing an image's runs over zeros gives the memory back, byte for byte.

Wasmtime maps a memory copy-on-write when its data spans less than 16 MiB, or less than twice
the bytes that are there; otherwise it copies all of it at each start, silently. Zeros written
out in the smallest gaps keep the image on the right side of that rule.
"""

from dataclasses import dataclass
from typing import TypeAlias

from edge.model.errors import SnapshotRefused

PAGE_BYTES = 65_536
SPAN_ALWAYS_MAPPED_BYTES = 16 * 1024 * 1024
_BLOCK_BYTES = 4096  # an operating system's page: the unit in which images are mapped
_ZERO_PAGE = bytes(PAGE_BYTES)
_ZERO_BLOCK = bytes(_BLOCK_BYTES)

Run: TypeAlias = tuple[int, int]
"""From one byte that is not zero to just after another."""


@dataclass(frozen=True, slots=True)
class MemoryImage:
    """A memory of `pages` pages as (offset, bytes) runs, in order and apart."""

    pages: int
    runs: tuple[tuple[int, bytes], ...]

    @property
    def data_bytes(self) -> int:
        """How much of the memory is written out."""
        return sum(len(data) for _, data in self.runs)


def make_image(memory: bytes, segments_max: int, image_bytes_max: int) -> MemoryImage:
    """The image of a whole memory in at most `segments_max` runs.

    Raises SnapshotRefused when that takes more than `image_bytes_max` of data.
    """
    runs = fill_gaps(nonzero_runs(memory), segments_max)
    data_bytes = sum(end - start for start, end in runs)
    if data_bytes > image_bytes_max:
        raise SnapshotRefused(
            f"its image would hold {data_bytes} bytes, over the limit of {image_bytes_max};"
            " build less at initialisation, or raise the limit"
        )
    return MemoryImage(
        len(memory) // PAGE_BYTES, tuple((start, memory[start:end]) for start, end in runs)
    )


def nonzero_runs(memory: bytes) -> list[Run]:
    """Stretches of blocks that are not all zero, without the zeros at either end."""
    runs: list[Run] = []
    start = -1
    for block in _nonzero_blocks(memory):
        if start < 0:
            start = end = block
        elif block != end:
            runs.append(_trim(memory, start, end))
            start = block
        end = block + _BLOCK_BYTES
    if start >= 0:
        runs.append(_trim(memory, start, min(end, len(memory))))
    return runs


def _nonzero_blocks(memory: bytes) -> list[int]:
    blocks: list[int] = []
    for page in range(0, len(memory), PAGE_BYTES):
        if memory.startswith(_ZERO_PAGE, page):
            continue
        blocks += [
            block
            for block in range(page, page + PAGE_BYTES, _BLOCK_BYTES)
            if not memory.startswith(_ZERO_BLOCK, block)
        ]
    return blocks


def _trim(memory: bytes, start: int, end: int) -> Run:
    """The same run from its first to its last byte that is not zero."""
    first = memory[start : start + _BLOCK_BYTES]
    last = memory[end - _BLOCK_BYTES : end]
    leading = len(first) - len(first.lstrip(b"\0"))
    trailing = len(last) - len(last.rstrip(b"\0"))
    return start + leading, end - trailing


def fill_gaps(runs: list[Run], segments_max: int) -> list[Run]:
    """Join runs over the smallest gaps until they are few enough, and mapped copy-on-write.

    `segments_max` is at least 1.
    """
    if not runs:
        return runs
    span = runs[-1][1] - runs[0][0]
    data = sum(end - start for start, end in runs)
    gaps = sorted((runs[place + 1][0] - runs[place][1], place) for place in range(len(runs) - 1))
    filled: set[int] = set()
    for size, place in gaps:
        mapped = span < SPAN_ALWAYS_MAPPED_BYTES or span < 2 * data
        if mapped and len(runs) - len(filled) <= segments_max:
            break
        filled.add(place)
        data += size
    joined = [runs[0]]
    for place, (start, end) in enumerate(runs[1:]):
        if place in filled:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
