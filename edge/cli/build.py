"""Runs the build command of a declared function, and reads the module it made.

Neighbours: `deploy` and `up` call it; the commands come from `manifest.py`.
Invariant: no build outlives its caller, nor BUILD_SECONDS_MAX; the compiler speaks to the user
directly, on stderr.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import click

from edge.cli.failure import CommandFailed
from edge.cli.manifest import Declaration

BUILD_SECONDS_MAX = 600
_STOP_SECONDS = 0.05
_KILL_SECONDS = 5

_PYTHON = ("python", "python3")
_NOT_FOUND = 127  # what a POSIX shell exits with for a program that is not installed
_ADVICE = {
    "cargo": "install Rust from https://rustup.rs",
    "clang": "install clang and lld with the system's package manager",
    "make": "install make with the system's package manager",
    "zig": "run 'pip install ziglang' and write 'python -m ziglang' for 'zig'",
}


class ToolchainMissing(CommandFailed):
    """The program that a build starts is not installed; building again cannot help."""


def build(declaration: Declaration, stop: threading.Event | None = None) -> bytes:
    """Run the build command, if there is one, and return the bytes of the module.

    `stop` ends the build early. Raises CommandFailed, ToolchainMissing among them.
    """
    if declaration.build:
        click.echo(f"building {declaration.name}", err=True)
        started = time.monotonic()
        _check(declaration, _run(declaration, stop or threading.Event()))
        click.echo(f"built {declaration.name} in {time.monotonic() - started:.1f} s", err=True)
    return _read_module(declaration)


def _run(declaration: Declaration, stop: threading.Event) -> int:
    """The build's exit code. It runs in a process group of its own, so that all of it can end."""
    ends = time.monotonic() + BUILD_SECONDS_MAX
    process = subprocess.Popen(
        _shell_command(declaration.build),
        shell=True,
        cwd=declaration.directory,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        while (exit_code := process.poll()) is None:
            if time.monotonic() > ends:
                raise CommandFailed(f"{declaration.name}: build ran over {BUILD_SECONDS_MAX} s")
            if stop.wait(_STOP_SECONDS):
                raise CommandFailed(f"{declaration.name}: build stopped")
        return exit_code
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(_KILL_SECONDS)


def _shell_command(command: str) -> str:
    """`python` at the front becomes this very interpreter, wherever it is installed."""
    first, _, rest = command.partition(" ")
    return f"{shlex.quote(sys.executable)} {rest}" if first in _PYTHON else command


def _environment() -> Mapping[str, str]:
    """The caller's environment, with the directory of this Python first on its PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path}


def _check(declaration: Declaration, exit_code: int) -> None:
    if exit_code == 0:
        return
    advice = _install_advice(declaration.build, exit_code)
    if advice:
        raise ToolchainMissing(f"{declaration.name}: {advice}")
    raise CommandFailed(
        f"{declaration.name}: build failed with exit code {exit_code}"
        f" in {declaration.directory}: {declaration.build}"
    )


def _install_advice(command: str, exit_code: int) -> str | None:
    """What to install, where the build failed because the program it starts is not there."""
    program, *rest = command.split()
    if program in _PYTHON and rest[:1] == ["-m"] and len(rest) > 1:
        package = rest[1].partition(".")[0]
        if find_spec(package) is None:
            return f"its build needs the Python package {package!r}: run 'pip install {package}'"
    elif exit_code == _NOT_FOUND and shutil.which(program, path=_environment()["PATH"]) is None:
        advice = _ADVICE.get(program, "install it, or change 'build' in the manifest")
        return f"its build needs {program!r}: {advice}"
    return None


def _read_module(declaration: Declaration) -> bytes:
    try:
        return declaration.module.read_bytes()
    except OSError as error:
        hint = "its build did not write it" if declaration.build else "build it first"
        raise CommandFailed(
            f"{declaration.name}: cannot read {declaration.module}: {error.strerror}; {hint}"
        ) from None
