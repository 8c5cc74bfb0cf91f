"""The generation number: shared, rising, and never the same twice."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.model.errors import StorageFailure
from edge.storage.generation import Generation
from tests.storage.processes import run_python, start_python

_BUMP = """
import sys
from pathlib import Path
from edge.storage.generation import Generation
generation = Generation(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    generation.bump()
"""


def test_it_starts_at_nothing_and_rises(tmp_path: Path) -> None:
    """A bump returns the new number, and every mapping of the file shows it."""
    one, two = Generation(tmp_path / "generation"), Generation(tmp_path / "generation")
    assert one.current() == 0
    assert one.bump() == 1
    assert two.current() == 1
    assert two.bump() == 2
    assert one.current() == 2
    one.close()
    two.close()


def test_another_process_is_seen(tmp_path: Path) -> None:
    """A bump elsewhere shows here without any call."""
    generation = Generation(tmp_path / "generation")
    run_python(_BUMP, tmp_path / "generation", 3)
    assert generation.current() == 3
    generation.close()


def test_no_bump_is_lost_between_processes_and_threads(tmp_path: Path) -> None:
    """Bumps that race still each count, so no two caches begin at the same number."""
    generation = Generation(tmp_path / "generation")
    others = [start_python(_BUMP, tmp_path / "generation", 2_000) for _ in range(2)]
    with ThreadPoolExecutor(3) as threads:
        mine = list(threads.map(lambda _: generation.bump(), range(1_500)))
    for process in others:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert generation.current() == 5_500
    assert len(set(mine)) == len(mine)
    generation.close()


def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The file keeps the number; an opener does not reset it under those who run."""
    first = Generation(tmp_path / "generation")
    first.bump()
    first.close()
    second = Generation(tmp_path / "generation")
    assert second.current() == 1
    second.close()


def test_a_file_that_cannot_be_had_is_a_storage_failure(tmp_path: Path) -> None:
    """The operating system's errors do not leak."""
    with pytest.raises(StorageFailure):
        Generation(tmp_path)
