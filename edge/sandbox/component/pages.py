"""What the kernel tells of the memories of this process, and is asked to do with their pages.

Wasmtime does not say where a component's memory is. Linux lists which stretches of a process are
copies of a file, and for each of their pages whether it was read or written.

Neighbours: `usual.py` learns from it which pages to ask for.
Invariant: nothing here changes what a page holds. To ask for a page that will be written is
harmless, whoever the memory belongs to by then; so a wrong guess costs memory and no more.
Source: Linux's `Documentation/admin-guide/mm/pagemap.rst` and `madvise(2)`. Where it is not Linux,
opening these files is an OSError.
"""

import mmap
import os
from collections.abc import Iterable
from io import FileIO
from typing import Final, NamedTuple

from edge.sandbox import raw

READ: Final = 1
WRITTEN: Final = 2
PAGE_BYTES: Final = mmap.PAGESIZE
LOOKED_AT_MAX = 16_384
"""Pages of one memory, from its start: 64 MiB."""

_ENTRY_BYTES = 8
# The highest byte of an entry says: present (0x80), and a page of a file or shared (0x20).
_KINDS = bytes((byte >> 7) * (READ if byte & 0x20 else WRITTEN) for byte in range(256))
_MADV_POPULATE = {READ: 22, WRITTEN: 23}


class Region(NamedTuple):
    """Where one memory is in this process, in bytes, all of it readable and writable."""

    start: int
    end: int


class Run(NamedTuple):
    """Pages of a memory that are side by side, as offsets in bytes, and how they are used."""

    start: int
    end: int
    kind: int

    @property
    def bytes(self) -> int:
        """How long it is."""
        return self.end - self.start


def find_regions(path: str) -> tuple[Region, ...]:
    """The memories that are copies of that file. Raises OSError.

    It takes a millisecond where there are thousands of mappings.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return read_regions(maps, path)


def read_regions(maps: Iterable[str], path: str) -> tuple[Region, ...]:
    """The stretches of private writable memory in such a list that hold a copy of that file."""
    found: list[Region] = []
    start = end = 0
    holds = False
    for line in maps:
        span, access, rest = line.split(" ", 2)
        low, high = (int(number, 16) for number in span.split("-"))
        is_writable = access.startswith("rw-p")
        if not (is_writable and low == end):
            if holds:
                found.append(Region(start, end))
            start, holds = low, False
        end = high if is_writable else 0
        holds = holds or (is_writable and rest.rstrip().endswith(path))
    if holds:
        found.append(Region(start, end))
    return tuple(found)


def open_pagemap() -> FileIO:
    """What the two functions below read. Raises OSError."""
    return open("/proc/self/pagemap", "rb", buffering=0)


def kinds(pagemap: FileIO, region: Region) -> bytes:
    """For each page of a memory READ, WRITTEN or 0."""
    at = region.start // PAGE_BYTES * _ENTRY_BYTES
    count = min((region.end - region.start) // PAGE_BYTES, LOOKED_AT_MAX)
    entries = os.pread(pagemap.fileno(), count * _ENTRY_BYTES, at)
    return entries[_ENTRY_BYTES - 1 :: _ENTRY_BYTES].translate(_KINDS)


def is_written(pagemap: FileIO, address: int) -> bool:
    """Whether the page at an address was written, or asked for as if it were."""
    entry = os.pread(pagemap.fileno(), _ENTRY_BYTES, address // PAGE_BYTES * _ENTRY_BYTES)
    return _KINDS[entry[-1]] == WRITTEN


def populate(region: Region, runs: Iterable[Run]) -> None:
    """Have pages of a memory mapped, those to be written with a copy of their own.

    What the kernel cannot do (it is older than 5.14, memory is short) is left to the page faults.
    """
    for run in runs:
        if region.start + run.end <= region.end:
            raw.madvise(region.start + run.start, run.bytes, _MADV_POPULATE[run.kind])
