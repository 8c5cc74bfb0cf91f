"""A worker's libc is told how much free memory to keep for the bodies to come."""

from pathlib import Path

import pytest

from edge.model.limits import MIB
from tests.running import Server
from tests.supervise.hosts import worker_pids


@pytest.mark.parametrize(
    ("kept", "trim", "own"),
    [(32 * MIB, b"33554432", b"16777216"), (256 * MIB, b"268435456", b"33554432"), (0, b"", b"")],
)
def test_heap_kept(tmp_path: Path, kept: int, trim: bytes, own: bytes) -> None:
    """As it is set; a mapping of its own takes half, within glibc's bound; 0 says nothing."""
    with Server(tmp_path / "data", settings={"heap_kept_bytes_max": kept}) as server:
        (pid,) = worker_pids(server)
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    environment = dict(entry.split(b"=", 1) for entry in entries if entry)
    assert environment.get(b"MALLOC_TRIM_THRESHOLD_", b"") == trim
    assert environment.get(b"MALLOC_MMAP_THRESHOLD_", b"") == own
