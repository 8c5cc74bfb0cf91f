"""Zips of deployment packages: the one module in them, or all files of a source.

Neighbours: `packages.py` asks.
Invariant: neither the directory nor a member of a hostile archive takes more memory or disk than
its bound, whatever the archive claims; nothing is written outside the directory that was given.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from edge.model.errors import InvalidZipFile, PayloadTooLarge
from edge.model.limits import MIB

DIRECTORY_BYTES_MAX = 1 * MIB
_CHUNK_BYTES = 1 * MIB
_BOOTSTRAP = "bootstrap.wasm"
_ENCRYPTED = 0x1
_MODE_SHIFT = 16
"""Of `external_attr`, which has a Unix mode in its upper half."""
# APPNOTE.TXT 4.3.16: the record that ends an archive, and 4.3.15: the ZIP64 mark before it.
_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_COMMENT_BYTES_MAX = 0xFFFF
_ZIP64_MARK = b"PK\x06\x07"
_ZIP64_MARK_BYTES = 20


def module_in(archive: bytes, handler: str, module_bytes_max: int) -> bytes:
    """The one `.wasm` in `archive`; of several, the one `handler` names, else `bootstrap.wasm`.

    Raises InvalidZipFile, and PayloadTooLarge when the module is over `module_bytes_max`.
    """
    with _opened(archive) as opened:
        member = _pick(opened.infolist(), handler)
        return b"".join(_pieces(opened, member, module_bytes_max))


def extract(archive: bytes, directory: Path, bytes_max: int) -> None:
    """Write every file of `archive` under `directory`, of at most `bytes_max` together.

    Raises InvalidZipFile, also for links and for paths that lead elsewhere, and PayloadTooLarge.
    """
    left = bytes_max
    with _opened(archive) as opened:
        for member in opened.infolist():
            place = directory / _safe_path(member)
            if member.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                for piece in _pieces(opened, member, left):
                    left -= file.write(piece)


@contextmanager
def _opened(archive: bytes) -> Iterator[ZipFile]:
    """The archive, its faults translated."""
    _check_directory(archive)
    try:
        with ZipFile(BytesIO(archive)) as opened:
            yield opened
    except (BadZipFile, zlib.error, EOFError, struct.error) as error:
        raise InvalidZipFile(f"the archive is corrupt: {error}") from error
    except (NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise InvalidZipFile(f"the archive cannot be read: {error}") from error


def _check_directory(archive: bytes) -> None:
    """Bound the directory before `zipfile` reads all of it into objects."""
    at = archive.rfind(_END_MARK, max(0, len(archive) - _END.size - _COMMENT_BYTES_MAX))
    if at < 0 or at + _END.size > len(archive):
        raise InvalidZipFile("ZipFile is not a zip archive")
    if archive[max(0, at - _ZIP64_MARK_BYTES) : at].startswith(_ZIP64_MARK):
        raise InvalidZipFile("ZIP64 archives are not taken: no package here is that large")
    directory_bytes = _END.unpack_from(archive, at)[5]
    if directory_bytes > DIRECTORY_BYTES_MAX:
        raise InvalidZipFile("the archive lists too many files")


def _pick(members: list[ZipInfo], handler: str) -> ZipInfo:
    modules = {
        member.filename: member
        for member in members
        if member.filename.endswith(".wasm") and not member.filename.startswith("__MACOSX/")
    }
    if len(modules) == 1:
        return next(iter(modules.values()))
    wanted = (handler, f"{handler}.wasm", f"{PurePosixPath(handler).stem}.wasm", _BOOTSTRAP)
    for name in wanted:
        if name in modules:
            return modules[name]
    if modules:
        raise InvalidZipFile(
            f"the archive holds {len(modules)} .wasm files: name one in Handler,"
            f" or call it {_BOOTSTRAP}"
        )
    raise InvalidZipFile("the archive holds no .wasm file")


def _safe_path(member: ZipInfo) -> PurePosixPath:
    """Where a member goes, relative to the directory."""
    path = PurePosixPath(member.filename)
    name = member.filename
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name:
        raise InvalidZipFile(f"{name[:80]!r} leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> _MODE_SHIFT):
        raise InvalidZipFile(f"{name[:80]} is a link: put the file itself in its place")
    return path


def _pieces(opened: ZipFile, member: ZipInfo, bytes_max: int) -> Iterator[bytes]:
    """The content of a member, which may not be more than `bytes_max`."""
    if member.flag_bits & _ENCRYPTED:
        raise InvalidZipFile(f"{member.filename} is encrypted")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise InvalidZipFile(f"{member.filename} is neither stored nor deflated")
    size = 0
    with opened.open(member) as source:
        while piece := source.read(_CHUNK_BYTES):
            size += len(piece)
            if size > bytes_max:
                raise PayloadTooLarge(f"{member.filename[:80]} goes over {bytes_max} bytes")
            yield piece
