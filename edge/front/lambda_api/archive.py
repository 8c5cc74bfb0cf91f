"""The module inside the zip of a deployment package.

Neighbours: `deployments.py`. Nothing is extracted to disk, so a path in the archive is a name only.
Invariant: neither the directory nor a member of a hostile archive takes more memory than its
bound, whatever the archive claims.
"""

import struct
import zlib
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from edge.front.faults import InvalidZipFile
from edge.model.errors import PayloadTooLarge
from edge.model.limits import MIB

DIRECTORY_BYTES_MAX = 1 * MIB
_CHUNK_BYTES = 1 * MIB
_BOOTSTRAP = "bootstrap.wasm"
_ENCRYPTED = 0x1
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
    _check_directory(archive)
    try:
        with ZipFile(BytesIO(archive)) as opened:
            return _read(opened, _pick(opened.infolist(), handler), module_bytes_max)
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


def _read(opened: ZipFile, member: ZipInfo, module_bytes_max: int) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise InvalidZipFile(f"{member.filename} is encrypted")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise InvalidZipFile(f"{member.filename} is neither stored nor deflated")
    chunks: list[bytes] = []
    size = 0
    with opened.open(member) as source:
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > module_bytes_max:
                raise PayloadTooLarge(f"the module is over {module_bytes_max} bytes")
            chunks.append(chunk)
    return b"".join(chunks)
