"""The contract of an ArtifactStore, over every backend, and what only files can suffer."""

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest

from edge.model.errors import InvalidRequest, NotFound, StorageFailure
from edge.storage.artifacts import ArtifactStore
from edge.storage.failures import storage_failure
from edge.storage.files import INCOMING_AGE_S_MAX, FileArtifacts
from tests.storage.processes import run_python

DATA = b"\0asm" + bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


@pytest.fixture(params=["files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """An empty store."""
    return FileArtifacts(tmp_path / "artifacts")


def test_what_was_put_is_got(store: ArtifactStore) -> None:
    """Bytes come back, and lie where `path` says."""
    store.put(DIGEST, DATA)
    assert store.get(DIGEST) == DATA
    assert store.path(DIGEST).read_bytes() == DATA
    assert store.digests() == {DIGEST}


def test_putting_again_changes_nothing(store: ArtifactStore) -> None:
    """Content-addressed: the same bytes again are the same artifact."""
    store.put(DIGEST, DATA)
    store.put(DIGEST, DATA)
    assert store.digests() == {DIGEST}


def test_what_is_not_stored_is_not_found(store: ArtifactStore) -> None:
    """Absence has its own error, and deleting it is fine."""
    with pytest.raises(NotFound):
        store.get(OTHER)
    store.delete(OTHER)
    store.put(DIGEST, DATA)
    store.delete(DIGEST)
    with pytest.raises(NotFound):
        store.get(DIGEST)
    assert store.digests() == set()


def test_bytes_of_another_digest_are_refused(store: ArtifactStore) -> None:
    """Nothing is ever stored under a digest that is not its own."""
    with pytest.raises(StorageFailure):
        store.put(OTHER, DATA)
    assert store.digests() == set()


@pytest.mark.parametrize(
    "digest", ["", "ab", "A" * 64, "../" + "a" * 61, "a" * 63 + "/", "a" * 65, "g" * 64]
)
def test_what_is_no_digest_is_refused(store: ArtifactStore, digest: str) -> None:
    """A digest names a file, so nothing but hex digits gets near a path."""
    for use in (store.get, store.path, store.delete):
        with pytest.raises(InvalidRequest):
            use(digest)
    with pytest.raises(InvalidRequest):
        store.put(digest, DATA)


def test_damage_is_found_and_healed_by_putting_again(store: ArtifactStore) -> None:
    """Bytes that changed on disk are never handed out."""
    store.put(DIGEST, DATA)
    store.path(DIGEST).write_bytes(DATA[:-1] + b"!")
    with pytest.raises(StorageFailure, match="damaged"):
        store.get(DIGEST)
    store.put(DIGEST, DATA)
    assert store.get(DIGEST) == DATA


def test_a_mapped_file_outlives_its_deletion(store: ArtifactStore) -> None:
    """Collecting an artifact does not pull it from under a process that reads it."""
    store.put(DIGEST, DATA)
    with store.path(DIGEST).open("rb") as file:
        store.delete(DIGEST)
        assert file.read() == DATA


def test_other_files_are_not_artifacts(store: ArtifactStore, tmp_path: Path) -> None:
    """Only digests are listed."""
    store.put(DIGEST, DATA)
    store.path(DIGEST).with_name("notes.txt").write_text("hello")
    assert store.digests() == {DIGEST}


_PUT_ON_A_FULL_DISK = """
import hashlib, resource, sys
from pathlib import Path
from edge.model.errors import StorageFailure
from edge.storage.files import FileArtifacts
store = FileArtifacts(Path(sys.argv[1]))
data = bytes(200_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.put(hashlib.sha256(data).hexdigest(), data)
except StorageFailure as error:
    print(error.message)
"""


def test_a_full_disk_is_a_storage_failure_and_leaves_nothing(tmp_path: Path) -> None:
    """The message says what is full, and no half-written file stays behind."""
    printed = run_python(_PUT_ON_A_FULL_DISK, tmp_path)
    assert "disk is full" in printed
    assert FileArtifacts(tmp_path).digests() == set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_leftovers_of_a_crash_are_swept_once_they_are_old(tmp_path: Path) -> None:
    """A half-written file goes at a later start; one that may still be written stays."""
    FileArtifacts(tmp_path)
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    then = time.time() - INCOMING_AGE_S_MAX - 60
    os.utime(old, (then, then))
    FileArtifacts(tmp_path)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free space"),
        (errno.EDQUOT, "free space"),
        (errno.EACCES, "permissions"),
        (errno.EIO, "check the disk"),
    ],
)
def test_failures_say_what_to_do(number: int, advice: str) -> None:
    """Every storage failure names the path and a next step."""
    failure = storage_failure(Path("/data/x"), OSError(number, os.strerror(number)))
    assert advice in failure.message
    assert "/data/x" in failure.message


def test_a_directory_that_cannot_be_made_is_a_storage_failure(tmp_path: Path) -> None:
    """The operating system's errors do not leak."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailure):
        FileArtifacts(tmp_path / "file" / "artifacts")
