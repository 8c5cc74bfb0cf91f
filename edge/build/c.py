"""C and C++, compiled by the zig that comes from PyPI.

Neighbours: `sdk/c` is one header. Sources that define `main` become commands, others reactors.
Invariant: the output holds no path of this machine.
"""

import importlib.metadata
import re
import sys
from collections.abc import Collection
from pathlib import Path

from edge.build.process import run_compiler
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory
from edge.model.errors import BuildFailed, MissingToolchain

_PACKAGE = "ziglang"
_STACK_BYTES = 256 * 1024
_HEADERS = (".h", ".hh", ".hpp", ".inc")
_MAIN = re.compile(rb"^[ \t]*int\s+main\s*\(", re.MULTILINE)
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"', re.MULTILINE)
_COMMON = (
    *("-target", "wasm32-wasi", "-O2", "-Wall", "-g0"),
    *(f"-Wl,-z,stack-size={_STACK_BYTES}", "-Wl,--strip-all"),
)


class C:
    """C, from one file or all those of a directory."""

    name = "c"
    suffixes: tuple[str, ...] = (".c",)
    _driver = "cc"
    _flags: tuple[str, ...] = ("-std=gnu17",)

    def find_source(self, directory: Path) -> Path | None:
        """The only source of the directory, or the directory itself where one of them is `main`."""
        sources = [path for path in sorted(directory.iterdir()) if path.suffix in self.suffixes]
        if len(sources) == 1:
            return sources[0]
        return directory if any(path.stem == "main" for path in sources) else None

    def inputs(self, project: Project) -> Collection[Path]:
        """The sources, what they include beside them, what that includes, and the SDK's header."""
        found = dict.fromkeys(self._sources(project))
        waiting = list(found)
        while waiting:
            file = waiting.pop()
            for included in _INCLUDE.findall(file.read_bytes()):
                path = Path(file.parent, included.decode("utf-8", "replace"))
                if path not in found and path.is_file():
                    found[path] = None
                    waiting.append(path)
        return (*found, sdk_directory("c") / "edge.h")

    def check_toolchain(self) -> str:
        """The version of zig from PyPI; raises MissingToolchain."""
        try:
            return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}"
        except importlib.metadata.PackageNotFoundError:
            raise MissingToolchain(
                f"C and C++ are compiled by zig: run '{sys.executable} -m pip install {_PACKAGE}'"
            ) from None

    def compile(self, project: Project, output: Path) -> None:
        """Compile and link in one step."""
        sources = self._sources(project)
        is_command = any(_MAIN.search(path.read_bytes()) for path in sources)
        run_compiler(
            [
                *(sys.executable, "-m", _PACKAGE, self._driver),
                *_COMMON,
                *self._flags,
                f"-mexec-model={'command' if is_command else 'reactor'}",
                f"-ffile-prefix-map={project.directory}=.",
                *("-isystem", sdk_directory("c")),
                *(path.relative_to(project.directory) for path in sources),
                *("-o", output),
            ],
            project,
        )

    def _sources(self, project: Project) -> Collection[Path]:
        if not project.source.is_dir():
            return (project.source,)
        sources = tree_files(project.source, self.suffixes)
        if not sources:
            raise BuildFailed(f"{project.name}: {project.source} holds no {self.name} source")
        return sources


class Cpp(C):
    """C++, without exceptions: the library that comes with zig has none for WebAssembly."""

    name = "cpp"
    suffixes = (".cpp", ".cc", ".cxx")
    _driver = "c++"
    _flags = ("-std=c++20", "-fno-exceptions")
