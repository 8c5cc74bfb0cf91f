"""Zig, compiled by the zig that comes from PyPI.

Neighbours: `sdk/zig` is the module `edge` of a program; `c.py` uses the same package.
Invariant: the output holds no path of this machine, as it is stripped and without safety's texts.
"""

import importlib.metadata
import sys
from collections.abc import Collection
from pathlib import Path

from edge.build.process import run_compiler
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory
from edge.model.errors import MissingToolchain

_PACKAGE = "ziglang"
_ROOT = "main.zig"
_FLAGS = (
    *("-target", "wasm32-wasi", "-mexec-model=reactor", "-fno-entry", "-rdynamic"),
    *("-O", "ReleaseSmall", "-fstrip", "--stack", str(256 * 1024)),
)
"""Zig's own stack would take 16 MiB of the memory."""


class Zig:
    """Zig, from one root file and what it imports."""

    name = "zig"
    suffixes: tuple[str, ...] = (".zig",)

    def find_source(self, directory: Path) -> Path | None:
        """`main.zig`."""
        root = directory / _ROOT
        return root if root.is_file() else None

    def inputs(self, project: Project) -> Collection[Path]:
        """The root alone where it was named as a file; else every file, as any may be embedded."""
        if project.source.name != _ROOT:
            return (project.source, *tree_files(project.source.parent, self.suffixes))
        return tree_files(project.source.parent)

    def check_toolchain(self) -> str:
        """The version of zig from PyPI; raises MissingToolchain."""
        try:
            return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}"
        except importlib.metadata.PackageNotFoundError:
            raise MissingToolchain(
                f"Zig comes from PyPI: run '{sys.executable} -m pip install {_PACKAGE}'"
            ) from None

    def compile(self, project: Project, output: Path) -> None:
        """Compile and link in one step."""
        run_compiler(
            [
                *(sys.executable, "-m", _PACKAGE, "build-exe", *_FLAGS),
                *("--dep", "edge", f"-Mroot={project.source}"),
                f"-Medge={sdk_directory('zig') / 'edge.zig'}",
                f"-femit-bin={output}",
            ],
            project,
        )
