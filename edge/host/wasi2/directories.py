"""`wasi:filesystem`: what is done by path, below an open directory.

Neighbours: `files.py` for what is done with what was opened.
Invariant: no path leads out of the directory it is relative to.
"""

from collections.abc import Iterator
from typing import Any

from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.descriptors import CHANGES, Descriptor, Flags, refusing, stat_of, type_of
from edge.host.wasi2.tree import Directory, File, Node, Refused, find, find_place

MOUNT = "/tmp"


class DirectoryEntries(Resource):
    """The names of a directory, as they were when it was asked."""

    __slots__ = ("entries",)
    KIND = "directory-entry-stream"

    def __init__(self, entries: Iterator[tuple[str, str]]) -> None:
        self.entries = entries


def get_directories(context: Context) -> list[tuple[Descriptor, str]]:
    """The guest's `/tmp`, and where it sees the files it was built with."""
    given = [(Descriptor(context.tree.root, frozenset({"read", CHANGES})), MOUNT)]
    if context.package is not None:
        reads = frozenset({"read"})
        given += [
            (Descriptor(context.package.root, reads), place) for place in context.package.mounts
        ]
    return given


@refusing
def read_directory(context: Context, descriptor: Descriptor) -> DirectoryEntries:
    """Its names."""
    children = descriptor.directory.children.items()
    return DirectoryEntries(iter([(type_of(node), name) for name, node in children]))


def read_directory_entry(context: Context, entries: DirectoryEntries) -> tuple[str, str] | None:
    """The next one: type and name."""
    return next(entries.entries, None)


@refusing
def open_at(
    context: Context,
    descriptor: Descriptor,
    _path_flags: Flags,
    path: str,
    open_flags: Flags,
    flags: Flags,
) -> Descriptor:
    """Open or create."""
    try:
        node = find(descriptor.directory, path)
        if "exclusive" in open_flags and "create" in open_flags:
            raise Refused("exist")
    except Refused as refused:
        if refused.code != "no-entry" or "create" not in open_flags:
            raise
        parent, name = find_place(descriptor.changing, path)
        node = parent.children[name] = File(context.tree.quota)
    if "directory" in open_flags and not isinstance(node, Directory):
        raise Refused("not-directory")
    if isinstance(node, Directory) and "write" in flags:
        raise Refused("is-directory")
    if isinstance(node, Directory):
        return Descriptor(node, flags - {CHANGES} | (descriptor.flags & {CHANGES}))
    if ("write" in flags or "truncate" in open_flags) and CHANGES not in descriptor.flags:
        raise Refused("read-only")
    if "truncate" in open_flags and isinstance(node, File):
        node.resize(0)
    return Descriptor(node, flags)


@refusing
def create_directory_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Make one."""
    parent, name = find_place(descriptor.changing, path)
    if name in parent.children:
        raise Refused("exist")
    parent.children[name] = Directory(context.tree.quota)


@refusing
def stat_at(context: Context, descriptor: Descriptor, _flags: Flags, path: str) -> tuple[Any, ...]:
    """The attributes of what is at a path."""
    return stat_of(find(descriptor.directory, path))


@refusing
def metadata_hash_at(
    context: Context, descriptor: Descriptor, _flags: Flags, path: str
) -> tuple[int, int]:
    """A number for what is at a path."""
    return find(descriptor.directory, path).number, 0


@refusing
def set_times_at(
    context: Context, descriptor: Descriptor, _flags: Flags, path: str, *_: object
) -> None:
    """Taken, and not kept."""
    find(descriptor.directory, path)


@refusing
def remove_directory_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Remove an empty one."""
    parent, name = find_place(descriptor.changing, path)
    node = find(parent, name)
    if not isinstance(node, Directory):
        raise Refused("not-directory")
    if node.children:
        raise Refused("not-empty")
    del parent.children[name]


@refusing
def unlink_file_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Remove a file's name."""
    parent, name = find_place(descriptor.changing, path)
    if isinstance(find(parent, name), Directory):
        raise Refused("is-directory")
    del parent.children[name]


@refusing
def rename_at(
    context: Context, descriptor: Descriptor, path: str, target: Descriptor, new_path: str
) -> None:
    """Give it another name, in place of what has it."""
    parent, name = find_place(descriptor.changing, path)
    new_parent, new_name = find_place(target.changing, new_path)
    node = find(parent, name)
    if isinstance(node, Directory) and _holds(node, new_parent):
        raise Refused("invalid")
    there = new_parent.children.get(new_name)
    if there is not None and there is not node:
        if isinstance(there, Directory) != isinstance(node, Directory):
            raise Refused("is-directory" if isinstance(there, Directory) else "not-directory")
        if isinstance(there, Directory) and there.children:
            raise Refused("not-empty")
    del parent.children[name]
    new_parent.children[new_name] = node


def _holds(directory: Directory, sought: Directory) -> bool:
    """Whether `sought` is the directory or lies below it."""
    waiting: list[Node] = [directory]
    while waiting:
        node = waiting.pop()
        if node is sought:
            return True
        if isinstance(node, Directory):
            waiting.extend(node.children.values())
    return False


PREOPENS: Functions = {"get-directories": get_directories}
FUNCTIONS: Functions = {
    "[method]descriptor.read-directory": read_directory,
    "[method]directory-entry-stream.read-directory-entry": read_directory_entry,
    "[method]descriptor.open-at": open_at,
    "[method]descriptor.create-directory-at": create_directory_at,
    "[method]descriptor.stat-at": stat_at,
    "[method]descriptor.metadata-hash-at": metadata_hash_at,
    "[method]descriptor.set-times-at": set_times_at,
    "[method]descriptor.remove-directory-at": remove_directory_at,
    "[method]descriptor.unlink-file-at": unlink_file_at,
    "[method]descriptor.rename-at": rename_at,
}
