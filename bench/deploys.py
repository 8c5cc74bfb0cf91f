"""`edge deploy SOURCE`, as a user types it: the build, the host's compile, and the answer.

Each source is new, so nothing of it is cached; then the same again, unchanged.

Neighbours: the templates of `sdk/` are what is deployed, to a host of `server.py`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from bench.line import Line, absent
from bench.machine import ROOT
from bench.process import all_cores
from bench.server import Server
from edge.build.languages import language_named
from edge.build.sdk import template_directory
from edge.model.errors import MissingToolchain

AGAIN_S_MAX = 1.0
_TIMEOUT_S = 300


class Row(NamedTuple):
    """A language, the file of its template, and what was asked for in seconds."""

    name: str
    file: str
    deploy_s: float


ROWS = (Row("python", "main.py", 15), Row("javascript", "index.js", 5), Row("c", "main.c", 2))


async def measure() -> list[Line]:
    """Two lines for each language."""
    lines = []
    with (
        tempfile.TemporaryDirectory(prefix="edge-bench-") as directory,
        Server(all_cores()) as host,
    ):
        folder = Path(directory)
        environment = {
            **os.environ,
            "EDGE_CONTROL": host.control_url,
            "EDGE_CACHE": str(folder / "cache"),
        }
        for row in ROWS:
            title = f"edge deploy, {row.name}"
            language = language_named(row.name)
            assert language is not None, row.name
            try:
                language.check_toolchain()
            except MissingToolchain as missing:
                lines.append(absent(title, missing.message))
                continue
            source = folder / f"hello{Path(row.file).suffix}"
            source.write_text((template_directory(row.name) / row.file).read_text())
            if row.name == "c":
                _deploy(source, environment)  # the first one on a machine compiles the C library
                source.write_text(source.read_text() + "\n/* changed */\n")
            lines.append(_line(title, _deploy(source, environment), row.deploy_s))
            lines.append(_line("  unchanged", _deploy(source, environment), AGAIN_S_MAX))
    return lines


def _deploy(source: Path, environment: dict[str, str]) -> float:
    """Seconds from the command to its end."""
    command = [sys.executable, "-m", "edge", "deploy", str(source), "--name", source.suffix[1:]]
    began = perf_counter()
    subprocess.run(
        command, cwd=ROOT, env=environment, stdout=sys.stderr, check=True, timeout=_TIMEOUT_S
    )
    return perf_counter() - began


def _line(name: str, seconds: float, bound_s: float) -> Line:
    return Line(name, seconds, "s", bound=f"≤ {bound_s:g} s", met=seconds <= bound_s)
