"""The files of one guest: an empty `/tmp` in memory, bounded, gone with the guest.

Neighbours: `filesystem.py` speaks WASI over it.
Invariant: all files together hold at most `bytes_max` bytes and `nodes_max` names, also those that
were unlinked while still open.
"""

from dataclasses import dataclass, field
from time import time_ns
from typing import Final

from edge.model.limits import MIB

TREE_BYTES_MAX_DEFAULT: Final = 16 * MIB
NODES_MAX: Final = 1_024
NAME_BYTES_MAX: Final = 255
DEPTH_MAX: Final = 32


class Refused(Exception):
    """An operation was refused; `code` is WASI's name of why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Quota:
    """What is left of a tree's bounds."""

    bytes_left: int = TREE_BYTES_MAX_DEFAULT
    nodes_left: int = NODES_MAX
    nodes_made: int = 0

    def take_node(self) -> int:
        """Count one more node; its number. Raises Refused."""
        if self.nodes_left <= 0:
            raise Refused("insufficient-space")
        self.nodes_left -= 1
        self.nodes_made += 1
        return self.nodes_made

    def take_bytes(self, count: int) -> None:
        """Count bytes (or give them back, below zero). Raises Refused."""
        if count > self.bytes_left:
            raise Refused("insufficient-space")
        self.bytes_left -= count


class Node:
    """A file or a directory. What it holds is given back when nobody can reach it any more."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.number = quota.take_node()
        self.accessed_ns = self.modified_ns = time_ns()

    def __del__(self) -> None:
        if hasattr(self, "number"):
            self.quota.nodes_left += 1


class File(Node):
    """Bytes."""

    def __init__(self, quota: Quota) -> None:
        super().__init__(quota)
        self.data = bytearray()

    def __del__(self) -> None:
        if hasattr(self, "data"):
            self.quota.bytes_left += len(self.data)
        super().__del__()

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; none at the end."""
        return bytes(self.data[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at `offset`, with zeros before it where there was nothing. Raises Refused."""
        end = offset + len(data)
        if end > len(self.data):
            self.resize(end)
        self.data[offset:end] = data
        self.modified_ns = time_ns()

    def resize(self, size: int) -> None:
        """Cut or lengthen with zeros. Raises Refused."""
        self.quota.take_bytes(size - len(self.data))
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))
        self.modified_ns = time_ns()


class Directory(Node):
    """Names of nodes."""

    def __init__(self, quota: Quota) -> None:
        super().__init__(quota)
        self.children: dict[str, Node] = {}


@dataclass(slots=True)
class Tree:
    """The root of a guest's files, made when it is first asked for."""

    quota: Quota = field(default_factory=Quota)
    _root: Directory | None = None

    @property
    def root(self) -> Directory:
        """The directory that the guest sees as `/tmp`."""
        if self._root is None:
            self._root = Directory(self.quota)
        return self._root


def split_path(path: str) -> list[str]:
    """The names of a relative path, `.` and `..` resolved within it. Raises Refused."""
    if path.startswith("/"):
        raise Refused("not-permitted")
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            if not names:
                raise Refused("not-permitted")  # out of the directory it was given
            names.pop()
        elif name not in ("", "."):
            if len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX:
                raise Refused("name-too-long")
            names.append(name)
    if len(names) > DEPTH_MAX:
        raise Refused("name-too-long")
    return names


def find(directory: Directory, path: str) -> Node:
    """The node at a path. Raises Refused (no-entry, not-directory)."""
    node: Node = directory
    for name in split_path(path):
        if not isinstance(node, Directory):
            raise Refused("not-directory")
        child = node.children.get(name)
        if child is None:
            raise Refused("no-entry")
        node = child
    return node


def find_place(directory: Directory, path: str) -> tuple[Directory, str]:
    """The directory of a path's last name, and that name. Raises Refused."""
    names = split_path(path)
    if not names:
        raise Refused("exist")
    parent = find(directory, "/".join(names[:-1]))
    if not isinstance(parent, Directory):
        raise Refused("not-directory")
    return parent, names[-1]
