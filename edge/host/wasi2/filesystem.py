"""`wasi:filesystem`: one directory, `/tmp`, empty at first and in memory.

There are no links and no times but of the last change; what a guest asks beyond that is refused
with an error code, by the functions here or by the sandbox's rule for those not here.

Neighbours: `tree.py` has the files and their bounds.
Invariant: nothing here leads to a file of the host.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from edge.host.charges import FUEL_PER_BYTE, FUEL_PER_IMPORT
from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.io import READ_BYTES_MAX, InputStream, IoError, OutputStream
from edge.host.wasi2.results import Err
from edge.host.wasi2.tree import Directory, File, Node, Refused, find, find_place

MOUNT = "/tmp"
Flags = frozenset[str]

_NS_PER_S = 1_000_000_000


class Descriptor(Resource):
    """An open file or directory."""

    __slots__ = ("flags", "node")
    KIND = "descriptor"

    def __init__(self, node: Node, flags: Flags) -> None:
        self.node = node
        self.flags = flags

    @property
    def directory(self) -> Directory:
        """The directory this is. Raises Refused."""
        if not isinstance(self.node, Directory):
            raise Refused("not-directory")
        return self.node

    def file(self, right: str) -> File:
        """The file this is, opened with `read` or `write`. Raises Refused."""
        if not isinstance(self.node, File):
            raise Refused("is-directory")
        if right not in self.flags:
            raise Refused("bad-descriptor")
        return self.node


class FileInput(InputStream):
    """A file read from an offset on."""

    __slots__ = ("_file", "_offset")

    def __init__(self, file: File, offset: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset

    def read(self, length: int) -> bytes:
        """The next bytes."""
        data = self._file.read(self._offset, length)
        self._offset += len(data)
        return data


class FileOutput(OutputStream):
    """A file written from an offset on, or with None at its end."""

    __slots__ = ("_file", "_offset")

    def __init__(self, file: File, offset: int | None) -> None:
        self._file = file
        self._offset = offset

    def write(self, data: bytes) -> str | None:
        """Write them; the code of why not."""
        try:
            self._file.write(len(self._file.data) if self._offset is None else self._offset, data)
        except Refused as refused:
            return refused.code
        if self._offset is not None:
            self._offset += len(data)
        return None


class DirectoryEntries(Resource):
    """The names of a directory, as they were when it was asked."""

    __slots__ = ("entries",)
    KIND = "directory-entry-stream"

    def __init__(self, entries: Iterator[tuple[str, str]]) -> None:
        self.entries = entries


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a refusal the error code that the guest sees, and charge the call."""

    @wraps(function)
    def guarded(context: Context, *arguments: Any) -> Any:
        context.session.charge(FUEL_PER_IMPORT)
        try:
            return function(context, *arguments)
        except Refused as refused:
            return Err(refused.code)

    return guarded


def _type(node: Node) -> str:
    return "directory" if isinstance(node, Directory) else "regular-file"


def _stat(node: Node) -> tuple[Any, ...]:
    """Type, link count, size, times of access, modification and status change."""
    size = len(node.data) if isinstance(node, File) else 0
    changed = divmod(node.modified_ns, _NS_PER_S)
    return _type(node), 1, size, divmod(node.accessed_ns, _NS_PER_S), changed, changed


def get_directories(context: Context) -> list[tuple[Descriptor, str]]:
    """The one there is."""
    flags = frozenset({"read", "mutate-directory"})
    return [(Descriptor(context.tree.root, flags), MOUNT)]


def filesystem_error_code(context: Context, error: IoError) -> str | None:
    """The code behind a stream's error."""
    return error.code or None


# Files


@_refusing
def read_via_stream(context: Context, descriptor: Descriptor, offset: int) -> FileInput:
    """Read from an offset on."""
    return FileInput(descriptor.file("read"), offset)


@_refusing
def write_via_stream(context: Context, descriptor: Descriptor, offset: int) -> FileOutput:
    """Write from an offset on."""
    return FileOutput(descriptor.file("write"), offset)


@_refusing
def append_via_stream(context: Context, descriptor: Descriptor) -> FileOutput:
    """Write at the end."""
    return FileOutput(descriptor.file("write"), None)


@_refusing
def read(context: Context, descriptor: Descriptor, length: int, offset: int) -> tuple[bytes, bool]:
    """Bytes at an offset, and whether the end was reached."""
    file = descriptor.file("read")
    data = file.read(offset, min(length, READ_BYTES_MAX))
    context.session.charge(FUEL_PER_BYTE * len(data))
    return data, offset + len(data) >= len(file.data)


@_refusing
def write(context: Context, descriptor: Descriptor, data: bytes, offset: int) -> int:
    """Write at an offset; how many bytes."""
    context.session.charge(FUEL_PER_BYTE * len(data))
    descriptor.file("write").write(offset, data)
    return len(data)


@_refusing
def set_size(context: Context, descriptor: Descriptor, size: int) -> None:
    """Cut or lengthen."""
    descriptor.file("write").resize(size)


@_refusing
def accept(context: Context, descriptor: Descriptor, *_: object) -> None:
    """Take what means nothing here: advice, syncing, times."""


@_refusing
def get_flags(context: Context, descriptor: Descriptor) -> Flags:
    """How it was opened."""
    return descriptor.flags


@_refusing
def get_type(context: Context, descriptor: Descriptor) -> str:
    """What it is."""
    return _type(descriptor.node)


@_refusing
def stat(context: Context, descriptor: Descriptor) -> tuple[Any, ...]:
    """Its attributes."""
    return _stat(descriptor.node)


@_refusing
def metadata_hash(context: Context, descriptor: Descriptor) -> tuple[int, int]:
    """A number for it."""
    return descriptor.node.number, 0


@_refusing
def is_same_object(context: Context, descriptor: Descriptor, other: Descriptor) -> bool:
    """Whether both are one."""
    return descriptor.node is other.node


# Directories


@_refusing
def read_directory(context: Context, descriptor: Descriptor) -> DirectoryEntries:
    """Its names."""
    children = descriptor.directory.children.items()
    return DirectoryEntries(iter([(_type(node), name) for name, node in children]))


def read_directory_entry(context: Context, entries: DirectoryEntries) -> tuple[str, str] | None:
    """The next one: type and name."""
    return next(entries.entries, None)


@_refusing
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
        parent, name = find_place(descriptor.directory, path)
        node = parent.children[name] = File(context.tree.quota)
    if "directory" in open_flags and not isinstance(node, Directory):
        raise Refused("not-directory")
    if isinstance(node, Directory) and "write" in flags:
        raise Refused("is-directory")
    if "truncate" in open_flags and isinstance(node, File):
        node.resize(0)
    return Descriptor(node, flags | {"mutate-directory"} if isinstance(node, Directory) else flags)


@_refusing
def create_directory_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Make one."""
    parent, name = find_place(descriptor.directory, path)
    if name in parent.children:
        raise Refused("exist")
    parent.children[name] = Directory(context.tree.quota)


@_refusing
def stat_at(context: Context, descriptor: Descriptor, _flags: Flags, path: str) -> tuple[Any, ...]:
    """The attributes of what is at a path."""
    return _stat(find(descriptor.directory, path))


@_refusing
def metadata_hash_at(
    context: Context, descriptor: Descriptor, _flags: Flags, path: str
) -> tuple[int, int]:
    """A number for what is at a path."""
    return find(descriptor.directory, path).number, 0


@_refusing
def set_times_at(
    context: Context, descriptor: Descriptor, _flags: Flags, path: str, *_: object
) -> None:
    """Taken, and not kept."""
    find(descriptor.directory, path)


@_refusing
def remove_directory_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Remove an empty one."""
    parent, name = find_place(descriptor.directory, path)
    node = find(parent, name)
    if not isinstance(node, Directory):
        raise Refused("not-directory")
    if node.children:
        raise Refused("not-empty")
    del parent.children[name]


@_refusing
def unlink_file_at(context: Context, descriptor: Descriptor, path: str) -> None:
    """Remove a file's name."""
    parent, name = find_place(descriptor.directory, path)
    if isinstance(find(parent, name), Directory):
        raise Refused("is-directory")
    del parent.children[name]


@_refusing
def rename_at(
    context: Context, descriptor: Descriptor, path: str, target: Descriptor, new_path: str
) -> None:
    """Give it another name, in place of what has it."""
    parent, name = find_place(descriptor.directory, path)
    node = find(parent, name)
    new_parent, new_name = find_place(target.directory, new_path)
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
TYPES: Functions = {
    "filesystem-error-code": filesystem_error_code,
    "[method]descriptor.read-via-stream": read_via_stream,
    "[method]descriptor.write-via-stream": write_via_stream,
    "[method]descriptor.append-via-stream": append_via_stream,
    "[method]descriptor.read": read,
    "[method]descriptor.write": write,
    "[method]descriptor.set-size": set_size,
    "[method]descriptor.advise": accept,
    "[method]descriptor.sync": accept,
    "[method]descriptor.sync-data": accept,
    "[method]descriptor.set-times": accept,
    "[method]descriptor.get-flags": get_flags,
    "[method]descriptor.get-type": get_type,
    "[method]descriptor.stat": stat,
    "[method]descriptor.metadata-hash": metadata_hash,
    "[method]descriptor.is-same-object": is_same_object,
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
