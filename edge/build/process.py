"""Runs compilers: bounded in time, ended as a whole, what they say kept.

Neighbours: every language compiles through `run_compiler`.
Invariant: no compiler outlives its caller, nor BUILD_SECONDS_MAX.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from edge.build.project import Project
from edge.model.errors import BuildFailed

BUILD_SECONDS_MAX = 600
SAID_BYTES_MAX = 64 * 1024
"""Of what a compiler says; the end of it is kept."""
_STOP_SECONDS = 0.05
_KILL_SECONDS = 5


def run_compiler(
    command: Sequence[str | Path] | str,
    project: Project,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a compiler in `directory` (the project's by default) and return what it said.

    A text is run by the shell. `environment` is added to the caller's. Raises BuildFailed with
    the compiler's own text when it fails, overruns or is stopped.
    """
    exit_code, said = run_to_end(command, project, directory=directory, environment=environment)
    if exit_code != 0:
        raise compiler_failure(project, exit_code, said)
    return said


def run_to_end(
    command: Sequence[str | Path] | str,
    project: Project,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """The same for any exit code: the code, and what was said."""
    with tempfile.TemporaryFile() as said:
        exit_code = _run(command, project, directory or project.directory, environment or {}, said)
        return exit_code, _read_end(said)


def compiler_failure(project: Project, exit_code: int, said: str) -> BuildFailed:
    """The error of a build that did not end well."""
    return BuildFailed(f"{project.name} does not build (exit code {exit_code}):\n{said}")


def tool_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment, with the directory of this Python first on its PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, **(more or {})}


def _run(
    command: Sequence[str | Path] | str,
    project: Project,
    directory: Path,
    environment: Mapping[str, str],
    said: IO[bytes],
) -> int:
    """The exit code. It runs in a process group of its own, so that all of it can end."""
    ends = time.monotonic() + BUILD_SECONDS_MAX
    process = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        cwd=directory,
        env=tool_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        while True:
            try:
                return process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() > ends:
                raise BuildFailed(f"{project.name}: the build took over {BUILD_SECONDS_MAX} s")
            if project.stop.is_set():
                raise BuildFailed(f"{project.name}: the build was stopped")
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(_KILL_SECONDS)


def _read_end(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - SAID_BYTES_MAX))
    return said.read().decode("utf-8", "replace").strip()
