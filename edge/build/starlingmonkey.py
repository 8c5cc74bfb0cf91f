"""JavaScript on StarlingMonkey: the same functions, and programs that listen for fetch events.

A larger engine than QuickJS (12 MB, 6 s to compile on the host), with promises, streams and
SubtleCrypto of its own. What listens for fetch events is a `wasi:http` component as it stands.

Neighbours: `javascript.py` bundles; `sdk/javascript/runtime/starlingmonkey` is what is bundled in.
Invariant: a build is not reproducible: the engine remembers the clock, and the folder at random in
which componentize-js ran it.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from edge.build.javascript import BUNDLE, WIT, WORLD, JavaScript
from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project
from edge.model.errors import BuildFailed

_HTTP_OFFERED, _HTTP_VERSION = "0.2.12", "0.2.10"
"""jco has the WIT of wasi:http in one version of WASI, and componentize-js 0.23 is of another."""
_HTTP_WORLD = "web"
_HTTP_WIT = (
    f"package edge:web;\nworld {_HTTP_WORLD} {{ include wasi:http/proxy@{_HTTP_VERSION}; }}\n"
)
_LISTENS = re.compile(r"\baddEventListener\(\s*[\"'`]fetch[\"'`]")


class StarlingMonkey(JavaScript):
    """The engine of `engine = "starlingmonkey"`."""

    runtime = Path("starlingmonkey")
    compiler = "componentize-js"
    install = "npm install --global esbuild @bytecodealliance/componentize-js"
    on_demand: Mapping[str, tuple[str, ...]] = {}
    lowered: tuple[str, ...] = ()

    def is_whole(self, function: str) -> bool:
        """Whether it listens for fetch events."""
        return _LISTENS.search(function) is not None

    def componentize(self, project: Project, folder: Path, output: Path) -> None:
        """Make the component, of the world that the program is for."""
        wit, world = folder / WIT, WORLD
        if self.is_whole((folder / BUNDLE).read_text()):
            wit, world = folder / "http", _HTTP_WORLD
            shutil.copytree(self._http_wit(), wit / "deps")
            for file in wit.rglob("*.wit"):
                file.write_text(file.read_text().replace(_HTTP_OFFERED, _HTTP_VERSION))
            (wit / "world.wit").write_text(_HTTP_WIT)
        run_compiler(
            [self.compiler, BUNDLE, "--wit", wit, "--world-name", world, "--out", output],
            project,
            directory=folder,
        )

    def _serving(self, primes: str, name: str) -> str:
        return f"await serve(module, {primes}, {name})"

    def _http_wit(self) -> Path:
        """The WIT of `wasi:http`, which jco has, which componentize-js brings along."""
        tool = Path(shutil.which(self.compiler, path=tool_environment()["PATH"]) or "").resolve()
        for folder in tool.parents:
            for packages in (folder / "node_modules" / "@bytecodealliance", folder.parent):
                found = packages / "jco" / "lib" / "wit" / "builtin" / _HTTP_OFFERED
                if found.is_dir():
                    return found
        raise BuildFailed(
            f"{self.compiler} has no WIT of wasi:http beside it: run '{self.install}'"
        )
