"""A machine that is the same everywhere, around compilers that run a program and keep its memory.

Neighbours: `python.py` and `javascript.py` run their compilers in it; `steady.c` is loaded into
them and says what it answers.
Invariant: without a C compiler, or not on Linux, nothing is loaded: the build is the same but for
what the engine read of this machine's clock, entropy and files.
"""

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from edge.build.process import run_to_end, tool_environment
from edge.build.project import Project

STEADY_SOURCE = Path(__file__).with_name("steady.c")
_FLAGS = ("-shared", "-fPIC", "-O2", "-pthread", "-ldl")
_PRELOAD = "LD_PRELOAD"
_TEMPORARY = Path("/tmp")
_FILES = "EDGE_STEADY_FILES"


def steady_environment(
    project: Project, folder: Path, *, with_files: bool = False
) -> Mapping[str, str]:
    """What to add to a compiler's environment; the library is made in `folder`, which outlives it.

    `with_files` is for one that shows the program files, and runs no other program. Raises
    BuildFailed where the build is stopped.
    """
    compiler = _compiler()
    if compiler is None or not sys.platform.startswith("linux"):
        return {}
    library = folder / "steady.so"
    exit_code, _ = run_to_end([*compiler, *_FLAGS, STEADY_SOURCE, "-o", library], project)
    if exit_code != 0:
        return {}
    others = os.environ.get(_PRELOAD)
    loaded = {_PRELOAD: f"{library}:{others}" if others else str(library)}
    return {**loaded, _FILES: "1"} if with_files else loaded


@contextlib.contextmanager
def steady_folder(name: str) -> Iterator[Path | None]:
    """A temporary folder whose path is the same on every machine, ours alone meanwhile.

    It waits for another build in it; None where it cannot be ours.
    """
    folder = _TEMPORARY / f"edge-{name}"
    try:
        lock = os.open(f"{folder}.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield None
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700)
        except OSError:
            yield None
            return
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _compiler() -> tuple[str, ...] | None:
    """The command of a C compiler for this machine: zig's from PyPI, else the system's."""
    if find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc")
    found = shutil.which("cc", path=tool_environment()["PATH"])
    return None if found is None else (found,)
