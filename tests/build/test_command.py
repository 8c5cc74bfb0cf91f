"""Build commands of the user's own: what they run with, how they fail, what they leave behind."""

import os
import sys
import threading
from pathlib import Path

import pytest

from edge.build.builder import build
from edge.build.cache import Cache
from edge.build.command import Command
from edge.build.project import Project, Recipe
from edge.model.errors import BuildFailed, MissingToolchain


def run(directory: Path, command: str, stop: threading.Event | None = None) -> bytes:
    """What `command` makes of a function in `directory` whose module is `f.wasm`."""
    recipe = Recipe(command, directory / "f.wasm")
    project = Project("f", directory, directory, recipe, stop=stop or threading.Event())
    return build(Command(), project, Cache(directory / "cache")).module


def test_a_build_runs_beside_its_manifest_and_its_module_is_read(tmp_path: Path) -> None:
    """The command is the shell's, and paths in it are the manifest's."""
    (tmp_path / "f.txt").write_bytes(b"module")
    assert run(tmp_path, "true && cp f.txt f.wasm") == b"module"


def test_a_command_runs_each_time(tmp_path: Path) -> None:
    """What it reads is not known, so nothing is taken from the cache."""
    command = "echo x >> log; cp log f.wasm"
    assert run(tmp_path, command) == b"x\n"
    assert run(tmp_path, command) == b"x\nx\n"


@pytest.mark.parametrize("command", ["python", "python3", "true && python"])
def test_python_in_a_build_is_the_one_that_runs_edge(tmp_path: Path, command: str) -> None:
    """A toolchain installed beside edge is found, whatever else is on the PATH."""
    script = "import sys; print(sys.prefix, end='', file=open('f.wasm', 'w'))"
    assert run(tmp_path, f'{command} -c "{script}"') == sys.prefix.encode()


def test_what_a_failing_build_printed_is_in_the_error(tmp_path: Path) -> None:
    """The compiler's own words reach the user, from both of its streams."""
    with pytest.raises(BuildFailed) as caught:
        run(tmp_path, "echo out; echo err >&2; exit 3")
    assert caught.value.message == "f does not build (exit code 3):\nout\nerr"


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("python -m nosuchpackage.cc -o f.wasm", "run 'pip install nosuchpackage'"),
        ("nosuchprogram f.c", "its build needs 'nosuchprogram': install it"),
    ],
)
def test_a_missing_toolchain_is_named_with_how_to_install_it(
    tmp_path: Path, command: str, advice: str
) -> None:
    """The first thing a newcomer meets says what to type."""
    with pytest.raises(MissingToolchain) as caught:
        run(tmp_path, command)
    assert advice in caught.value.message


def test_a_module_that_was_not_written_says_so(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(BuildFailed, match=r"cannot read .*f.wasm: No such file.*did not write"):
        run(tmp_path, "true")


def test_a_stopped_build_leaves_no_process_behind(tmp_path: Path) -> None:
    """Ctrl-C ends the compiler and all that it started."""
    fifo = tmp_path / "fifo"
    command = f"mkfifo {fifo}; (sleep 60; echo late) > {fifo} & read line < {fifo}"
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(BuildFailed, match="the build was stopped"):
        run(tmp_path, command, stop)
    # Reading ends empty when nobody holds the other end: the grandchild is gone, too.
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.set_blocking(end, True)
        assert os.read(end, 8) == b""
    finally:
        os.close(end)
