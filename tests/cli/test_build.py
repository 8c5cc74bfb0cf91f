"""Builds: what they are run with, how they fail, and that none is left behind."""

import os
import sys
import threading
from pathlib import Path

import pytest

from edge.cli.build import ToolchainMissing, build
from edge.cli.failure import CommandFailed
from edge.cli.manifest import Declaration


def declared(directory: Path, command: str) -> Declaration:
    """A function made by `command`, as a manifest in `directory` declares it."""
    return Declaration(
        name="f", module=directory / "f.wasm", source=directory / "edge.toml", build=command
    )


def test_a_build_runs_beside_its_manifest_and_its_module_is_read(tmp_path: Path) -> None:
    """The command is the shell's, and paths in it are the manifest's."""
    (tmp_path / "f.txt").write_bytes(b"module")
    assert build(declared(tmp_path, "true && cp f.txt f.wasm")) == b"module"


@pytest.mark.parametrize("command", ["python", "python3", "true && python"])
def test_python_in_a_build_is_the_one_that_runs_edge(tmp_path: Path, command: str) -> None:
    """A toolchain installed beside edge is found, whatever else is on the PATH."""
    script = "import sys; print(sys.prefix, end='', file=open('f.wasm', 'w'))"
    assert build(declared(tmp_path, f'{command} -c "{script}"')) == sys.prefix.encode()


def test_what_a_build_prints_goes_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The compiler's words reach the user and never a program that reads stdout."""
    with pytest.raises(CommandFailed, match=r"f: build failed with exit code 3 in .*: echo out"):
        build(declared(tmp_path, "echo out; echo err >&2; exit 3"))
    out, err = capfd.readouterr()
    assert out == ""
    assert "out\nerr\n" in err


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
    with pytest.raises(ToolchainMissing) as caught:
        build(declared(tmp_path, command))
    assert advice in caught.value.message


@pytest.mark.parametrize(("command", "said"), [("", "build it first"), ("true", "did not write")])
def test_a_module_that_is_not_there_says_why(tmp_path: Path, command: str, said: str) -> None:
    """With and without a build, the path is named."""
    with pytest.raises(CommandFailed, match=f"cannot read .*f.wasm: No such file.*{said}"):
        build(declared(tmp_path, command))


def test_a_stopped_build_leaves_no_process_behind(tmp_path: Path) -> None:
    """Ctrl-C ends the compiler and all that it started."""
    fifo = tmp_path / "fifo"
    command = f"mkfifo {fifo}; (sleep 60; echo late) > {fifo} & read line < {fifo}"
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(CommandFailed, match="build stopped"):
        build(declared(tmp_path, command), stop)
    # Reading ends empty when nobody holds the other end: the grandchild is gone, too.
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.set_blocking(end, True)
        assert os.read(end, 8) == b""
    finally:
        os.close(end)
