"""Artifacts as plain files: `ARTIFACTS/ab/abcdef…`, written aside and renamed into place.

Neighbours: `artifacts.py` states the guarantees; the registry says which digests are in use.
Invariant: a file under its final name is whole; what a crash left half-written lies in
`incoming/` and is swept up.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from tempfile import mkstemp
from uuid import uuid4

from edge.model.errors import InvalidRequest, NotFound, StorageFailure
from edge.storage.failures import storage_failure

INCOMING_AGE_S_MAX = 3_600

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileArtifacts:
    """An `ArtifactStore` in one directory, shared by the host's processes."""

    def __init__(self, directory: Path) -> None:
        """Create the directory if need be, and sweep up after crashes. Raises StorageFailure."""
        self._directory = directory
        self._incoming = directory / "incoming"
        with _translated(directory):
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._sweep()

    def put(self, digest: str, data: bytes) -> None:
        """See ArtifactStore; `data` that does not match its digest is a StorageFailure."""
        path = self.path(digest)
        _verify(digest, data)
        with _translated(path):
            descriptor, name = mkstemp(dir=self._incoming)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                if not path.parent.exists():
                    path.parent.mkdir(exist_ok=True)
                    _sync_directory(self._directory)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            _sync_directory(path.parent)

    def get(self, digest: str) -> bytes:
        """See ArtifactStore; bytes that changed on disk are a StorageFailure."""
        path = self.path(digest)
        with _translated(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise NotFound(f"artifact {digest} is not stored: deploy it again") from error
        _verify(digest, data)
        return data

    def path(self, digest: str) -> Path:
        """See ArtifactStore. The two-letter directories keep each of them short."""
        if not _DIGEST.fullmatch(digest):
            raise InvalidRequest(f"{digest[:80]!r} is not a SHA-256 digest in lower-case hex")
        return self._directory / digest[:2] / digest

    def delete(self, digest: str, *, written_before: float = inf) -> bool:
        """See ArtifactStore; who has the file open or mapped keeps its bytes."""
        path = self.path(digest)
        aside = self._incoming / f"{digest}.{uuid4().hex}"
        with _translated(path):
            try:
                path.replace(aside)  # first, so that no `put` comes between look and deed
            except FileNotFoundError:
                return False
            if aside.stat().st_mtime >= written_before:
                aside.replace(path)
                return False
            aside.unlink()
            return True

    def digests(self) -> set[str]:
        """See ArtifactStore."""
        with _translated(self._directory):
            return {
                path.name
                for path in self._directory.glob("[0-9a-f][0-9a-f]/*")
                if _DIGEST.fullmatch(path.name)
            }

    def _sweep(self) -> None:
        """Remove what no living `put` can still be writing."""
        oldest = time.time() - INCOMING_AGE_S_MAX
        for path in self._incoming.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process swept it, or renamed it into place


def _verify(digest: str, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != digest:
        raise StorageFailure(f"artifact {digest} is damaged: deploy it again")


def _sync_directory(directory: Path) -> None:
    """Make a rename in `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_failure(path, error) from error
