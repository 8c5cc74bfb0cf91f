"""`wasi:filesystem`: what is done with an open descriptor, above all of a file.

Neighbours: `directories.py` opens them.
Invariant: a file is read and written only by the rights it was opened with.
"""

from typing import Any

from edge.host.charges import FUEL_PER_BYTE
from edge.host.wasi2.context import Context, Functions
from edge.host.wasi2.descriptors import Descriptor, Flags, refusing, stat_of, type_of
from edge.host.wasi2.io import READ_BYTES_MAX, InputStream, IoError, OutputStream
from edge.host.wasi2.tree import File, Refused


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


def filesystem_error_code(context: Context, error: IoError) -> str | None:
    """The code behind a stream's error."""
    return error.code or None


@refusing
def read_via_stream(context: Context, descriptor: Descriptor, offset: int) -> FileInput:
    """Read from an offset on."""
    return FileInput(descriptor.file("read"), offset)


@refusing
def write_via_stream(context: Context, descriptor: Descriptor, offset: int) -> FileOutput:
    """Write from an offset on."""
    return FileOutput(descriptor.file("write"), offset)


@refusing
def append_via_stream(context: Context, descriptor: Descriptor) -> FileOutput:
    """Write at the end."""
    return FileOutput(descriptor.file("write"), None)


@refusing
def read(context: Context, descriptor: Descriptor, length: int, offset: int) -> tuple[bytes, bool]:
    """Bytes at an offset, and whether the end was reached."""
    file = descriptor.file("read")
    data = file.read(offset, min(length, READ_BYTES_MAX))
    context.session.charge(FUEL_PER_BYTE * len(data))
    return data, offset + len(data) >= len(file.data)


@refusing
def write(context: Context, descriptor: Descriptor, data: bytes, offset: int) -> int:
    """Write at an offset; how many bytes."""
    context.session.charge(FUEL_PER_BYTE * len(data))
    descriptor.file("write").write(offset, data)
    return len(data)


@refusing
def set_size(context: Context, descriptor: Descriptor, size: int) -> None:
    """Cut or lengthen."""
    descriptor.file("write").resize(size)


@refusing
def accept(context: Context, descriptor: Descriptor, *_: object) -> None:
    """Take what means nothing here: advice, syncing, times."""


@refusing
def get_flags(context: Context, descriptor: Descriptor) -> Flags:
    """How it was opened."""
    return descriptor.flags


@refusing
def get_type(context: Context, descriptor: Descriptor) -> str:
    """What it is."""
    return type_of(descriptor.node)


@refusing
def stat(context: Context, descriptor: Descriptor) -> tuple[Any, ...]:
    """Its attributes."""
    return stat_of(descriptor.node)


@refusing
def metadata_hash(context: Context, descriptor: Descriptor) -> tuple[int, int]:
    """A number for it."""
    return descriptor.node.number, 0


@refusing
def is_same_object(context: Context, descriptor: Descriptor, other: Descriptor) -> bool:
    """Whether both are one."""
    return descriptor.node is other.node


FUNCTIONS: Functions = {
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
}
