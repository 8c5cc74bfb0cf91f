"""The one place where an operating system's error becomes a `StorageFailure`.

Neighbours: the file-backed modules of this room; `sqlite/database.py` does the same for SQLite.
"""

import errno
from pathlib import Path

from edge.model.errors import StorageFailure

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def storage_failure(path: Path, error: OSError) -> StorageFailure:
    """What went wrong with `path` and what to do about it, to be raised `from error`."""
    if error.errno in _FULL:
        return StorageFailure(f"the disk is full: free space for {path}")
    if error.errno in _FORBIDDEN:
        return StorageFailure(f"{path} cannot be written: check its permissions")
    return StorageFailure(f"{path}: {error.strerror or error}: check the disk")
