"""The memory of component values, by address: names, lengths, kinds and rows of items.

Neighbours: `values.py` reads and writes values with these; `raw.py` has the layouts.
Invariant: whatever is made room for is zero until it is written, which is a complete value.
"""

import ctypes

from edge.model.limits import MIB
from edge.sandbox.component import raw
from edge.sandbox.raw import Function

TEXT_BYTES_MAX = 8 * MIB
"""A host call's largest request, and some."""


class Uncrossable(Exception):
    """A type or value that does not cross the border, or too much of it."""


def word(address: int) -> int:
    """Eight bytes as a number: a length or an address."""
    return ctypes.c_uint64.from_address(address).value


def set_word(address: int, value: int) -> None:
    """Write one."""
    ctypes.c_uint64.from_address(address).value = value


def set_kind(address: int, kind: int) -> None:
    """Say what the value at an address is; after all that is in it."""
    ctypes.c_uint8.from_address(address).value = kind


def read_length(address: int, most: int, what: str) -> int:
    """How long a list or text is. Raises Uncrossable when that is too long."""
    length = word(address)
    if length > most:
        raise Uncrossable(f"{length} {what} are more than cross at once ({most})")
    return length


def read_name(address: int) -> str:
    """A text. Raises Uncrossable."""
    length = read_length(address, TEXT_BYTES_MAX, "bytes of text")
    return ctypes.string_at(word(address + 8), length).decode("utf-8", "replace")


def write_name(address: int, text: str) -> None:
    """Write a text, of which Wasmtime gets a copy."""
    data = text.encode("utf-8", "replace")  # never anything but UTF-8
    raw.name_copy(address, len(data), data)


def make_room(address: int, count: int, size: int, kind: int, reserve: Function) -> int:
    """Make room for `count` items of `size` bytes in a value; where they begin, all zero."""
    reserve(address + raw.LENGTH, count)
    items = word(address + raw.DATA)
    if count:
        ctypes.memset(items, 0, count * size)
    set_kind(address, kind)
    return items
