"""Builds the components of `bench/handlers/`, where the tools for it are installed.

Neighbours: `components.py` measures what comes of it.
Invariant: a tool that is not installed is said to be so, and nothing is installed here.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.machine import ROOT
from edge.build.project import Project
from edge.build.starlingmonkey import StarlingMonkey

WIT = ROOT / "sdk" / "wit" / "edge.wit"
HANDLERS = ROOT / "bench" / "handlers"
_TIMEOUT_S = 120


class Toolchain(NamedTuple):
    """`tools` must be found; `build(directory)` makes a component of a handler there."""

    tools: tuple[str, ...]
    install: str
    build: Callable[[Path], bytes]


def missing(toolchain: Toolchain) -> str:
    """Why it cannot be used here; empty when it can."""
    absent = [tool for tool in toolchain.tools if _find(tool) is None]
    return f"not installed ({toolchain.install})" if absent else ""


def build(toolchain: Toolchain) -> bytes:
    """The component; raises CalledProcessError with the tool's own words."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        return toolchain.build(Path(directory))


def _find(tool: str) -> str | None:
    beside = Path(sys.executable).with_name(tool)
    return str(beside) if beside.exists() else shutil.which(tool)


def _run(directory: Path, tool: str, *arguments: object) -> bytes:
    command = [_find(tool) or tool, *map(str, arguments), "-o", "out.wasm"]
    subprocess.run(command, cwd=directory, check=True, timeout=_TIMEOUT_S, stdout=sys.stderr)
    return (directory / "out.wasm").read_bytes()


def _python(directory: Path) -> bytes:
    shutil.copy(HANDLERS / "hello.py", directory)
    return _run(directory, "componentize-py", "-d", WIT, "-w", "function", "componentize", "hello")


def _quickjs(directory: Path) -> bytes:
    script = HANDLERS / "hello.js"
    options = ("--wit", WIT, "--world", "function", "--js", script, "--sync")
    return _run(directory, "componentize-qjs", *options)


def _starling_monkey(directory: Path) -> bytes:
    output = directory / "out.wasm"
    StarlingMonkey().compile(Project("fetch", HANDLERS / "fetch.js", HANDLERS), output)
    return output.read_bytes()


PYTHON = Toolchain(("componentize-py",), "pip install componentize-py", _python)
QUICKJS = Toolchain(("componentize-qjs",), "npm install -g componentize-qjs", _quickjs)
STARLING_MONKEY = Toolchain(
    ("esbuild", StarlingMonkey.compiler),
    StarlingMonkey.install,
    _starling_monkey,
)
