"""AssemblyScript, compiled by asc from npm.

Neighbours: `sdk/assemblyscript/lib` is where a program's `import … from "edge"` is found, and
`exports.ts` beside it what the host calls.
Invariant: the output holds no path of this machine: asc names files as they are imported.
"""

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from edge.build.npm import install_packages, is_settled
from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory
from edge.model.errors import BuildFailed, MissingToolchain

_COMPILER = "asc"
_ROOTS = ("main.ts", "assembly/index.ts")
_FLAGS = ("--runtime", "stub", "-O2", "--use", "abort=~lib/edge/index/abort")
"""Nothing is freed: the memory goes with the instance. A throw is logged, then a trap."""
_VERSION_SECONDS_MAX = 60


class AssemblyScript:
    """AssemblyScript, from one root file and what it imports."""

    name = "assemblyscript"
    suffixes: tuple[str, ...] = ()  # TypeScript has the same suffix, and it is JavaScript's

    def find_source(self, directory: Path) -> Path | None:
        """`assembly/index.ts`, or a `main.ts` that a directory calls its own by `asconfig.json`."""
        if not (directory / "asconfig.json").is_file():
            return None
        return next((directory / root for root in _ROOTS if (directory / root).is_file()), None)

    def inputs(self, project: Project) -> Collection[Path] | None:
        """The project's files, and what npm locked; unknown where packages are not locked."""
        if not is_settled(project.directory):
            return None
        return (*tree_files(project.directory), *tree_files(sdk_directory("assemblyscript")))

    def check_toolchain(self) -> str:
        """What `asc --version` says; raises MissingToolchain."""
        found = shutil.which(_COMPILER, path=tool_environment()["PATH"])
        if found is None:
            raise MissingToolchain(
                "AssemblyScript's compiler is not on the PATH: run"
                " 'npm install --global assemblyscript'"
            )
        said = subprocess.run(
            [found, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS_MAX,
            check=False,
        )
        return said.stdout.strip()

    def compile(self, project: Project, output: Path) -> None:
        """Fetch the packages it depends on, and compile it with what the host calls."""
        install_packages(project)
        sdk = sdk_directory("assemblyscript")
        # asc takes absolute paths for relative ones.
        exports, library, target = (
            os.path.relpath(path, project.directory)
            for path in (sdk / "exports.ts", sdk / "lib", output)
        )
        source = project.source.relative_to(project.directory)
        run_compiler([_COMPILER, source, exports, "--lib", library, *_FLAGS, "-o", target], project)
        if not output.is_file():
            raise BuildFailed(f"{project.name}: asc made no module")
