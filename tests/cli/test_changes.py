"""Watching: which changes count, and which functions they belong to."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli.changes import changed_files, real_path
from edge.cli.manifest import Declaration
from edge.cli.watch import affected

SEEN_SECONDS_MAX = 20


class Watched:
    """A directory under watch, and the batches seen so far."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.batches: queue.Queue[set[Path]] = queue.Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._follow)

    def _follow(self) -> None:
        ignored = self.directory / "data"
        for batch in changed_files(self.directory, self.stop, ignored=ignored):
            self.batches.put(batch)

    def wait_for(self, path: Path) -> set[Path]:
        """Everything reported until `path` is."""
        seen: set[Path] = set()
        while real_path(path) not in seen:
            seen |= self.batches.get(timeout=SEEN_SECONDS_MAX)
        return seen


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A directory whose watch has said that it is on."""
    watched = Watched(tmp_path)
    watched.thread.start()
    try:
        assert watched.batches.get(timeout=SEEN_SECONDS_MAX) == set()
        yield watched
    finally:
        watched.stop.set()
        watched.thread.join()


def test_new_and_changed_files_are_seen(watched: Watched) -> None:
    """Each makes the next build another."""
    path = watched.directory / "src" / "hello.c"
    path.parent.mkdir()
    path.write_text("1")
    watched.wait_for(path)
    path.write_text("2")
    watched.wait_for(path)


def test_what_is_written_again_unchanged_is_no_change(watched: Watched) -> None:
    """A build that writes the same intermediate file each time does not start itself again."""
    output, sentinel = watched.directory / "hello.o", watched.directory / "end"
    output.write_bytes(b"code")
    watched.wait_for(output)
    output.write_bytes(b"code")
    sentinel.write_text("x")
    assert real_path(output) not in watched.wait_for(sentinel)


def test_a_file_that_comes_and_goes_is_no_change(watched: Watched) -> None:
    """A compiler's scratch file, under another name each time, does not start the next build."""
    scratch, sentinel = watched.directory / "tmp-4711", watched.directory / "end"
    scratch.write_bytes(b"code")
    scratch.unlink()
    sentinel.write_text("x")
    assert real_path(scratch) not in watched.wait_for(sentinel)


def test_the_data_directory_and_editors_leavings_are_ignored(watched: Watched) -> None:
    """A data directory inside the project, and swap files, start no build."""
    (watched.directory / "data").mkdir()
    (watched.directory / "data" / "kv.db").write_text("x")
    (watched.directory / ".hello.c.swp").write_text("x")
    sentinel = watched.directory / "end"
    sentinel.write_text("x")
    assert {path.name for path in watched.wait_for(sentinel)} == {"end"}


def declaration(name: str, directory: Path, *, build: str = "") -> Declaration:
    """A function of that directory's manifest."""
    return Declaration(
        name=name,
        module=directory / f"{name}.wasm",
        declared_in=directory / "edge.toml",
        build=build,
    )


def names(declared: list[Declaration], *changed: Path) -> list[str]:
    """Which of the functions these changes are part of."""
    return [d.name for d in affected(declared, set(changed))]


def test_a_source_belongs_to_the_functions_built_beside_it(tmp_path: Path) -> None:
    """Saving one guest's source leaves its neighbours alone."""
    a, b = tmp_path / "a", tmp_path / "b"
    declared = [declaration("one", a, build="make"), declaration("two", b, build="make")]
    assert names(declared, a / "deep" / "one.c") == ["one"]
    assert names(declared, b / "edge.toml") == ["two"]
    assert names(declared, tmp_path / "elsewhere.c") == []


def test_what_a_build_writes_is_no_source(tmp_path: Path) -> None:
    """A build does not start itself, nor the build of another function of the same manifest."""
    declared = [
        declaration("one", tmp_path, build="make"),
        declaration("two", tmp_path, build="make"),
    ]
    assert names(declared, tmp_path / "one.wasm") == []
    assert names(declared, tmp_path / "one.wasm", tmp_path / "one.c") == ["one", "two"]


def test_a_function_without_a_build_is_its_module_and_its_manifest(tmp_path: Path) -> None:
    """Other files beside a ready module are nothing to it."""
    declared = [declaration("one", tmp_path)]
    assert names(declared, tmp_path / "one.wasm") == ["one"]
    assert names(declared, tmp_path / "edge.toml") == ["one"]
    assert names(declared, tmp_path / "notes.txt") == []
