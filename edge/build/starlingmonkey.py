"""JavaScript on StarlingMonkey: the same functions, and programs that listen for fetch events.

A larger engine than QuickJS (12 MB, 6 s to compile on the host), with promises, streams and
SubtleCrypto of its own. What listens for fetch events is a `wasi:http` component as it stands.

Neighbours: `javascript.py` bundles; `sdk/javascript/runtime/starlingmonkey` is what is bundled in.
Invariant: the output holds nothing of this machine, where it can be kept from it (`steady.py`).
"""

import hashlib
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from edge.build.javascript import BUNDLE, WIT, WORLD, JavaScript
from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project
from edge.build.steady import steady_environment, steady_folder
from edge.model.errors import BuildFailed

_HTTP_OFFERED, _HTTP_VERSION = "0.2.12", "0.2.10"
"""jco has the WIT of wasi:http in one version of WASI, and componentize-js 0.23 is of another."""
_HTTP_WORLD = "web"
_HTTP_WIT = (
    f"package edge:web;\nworld {_HTTP_WORLD} {{ include wasi:http/proxy@{_HTTP_VERSION}; }}\n"
)
_SEED_DIGITS = 7
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
        wit, world = Path(WIT), WORLD
        if self.is_whole((folder / BUNDLE).read_text()):
            wit, world = Path("http"), _HTTP_WORLD
            offered = self._package("jco") / "lib" / "wit" / "builtin" / _HTTP_OFFERED
            shutil.copytree(offered, folder / wit / "deps")
            for file in (folder / wit).rglob("*.wit"):
                file.write_text(file.read_text().replace(_HTTP_OFFERED, _HTTP_VERSION))
            (folder / wit / "world.wit").write_text(_HTTP_WIT)
        options: list[str | Path] = [BUNDLE, "--wit", wit, "--world-name", world, "--out", output]
        environment = steady_environment(project, folder, with_files=True)
        digest = hashlib.sha256((folder / BUNDLE).read_bytes()).hexdigest()[:_SEED_DIGITS]
        with steady_folder(digest) as temporary:
            if not environment or temporary is None:
                run_compiler([self.compiler, *options], project, directory=folder)
                return
            # The folder that it works in has a random name, and the engine remembers it.
            tool: list[str | Path] = ["node", f"--random-seed={int(digest, 16)}", self._tool()]
            options += ["--wizer-bin", self._steady_wizer(folder, environment)]
            place = shutil.copytree(folder, temporary / "build")
            places = {"TMPDIR": str(temporary), "PWD": str(place)}
            run_compiler([*tool, *options], project, directory=place, environment=places)

    def _steady_wizer(self, folder: Path, environment: Mapping[str, str]) -> Path:
        """A program that runs the engine for componentize-js, which gives it no environment."""
        wizer = next(self._package("wizer-*").glob("wizer"))
        said = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        script = folder / "wizer"
        script.write_text(f'#!/bin/sh\n{" ".join(said)} exec {shlex.quote(str(wizer))} "$@"\n')
        script.chmod(0o700)
        return script

    def _serving(self, primes: str, name: str) -> str:
        return f"await serve(module, {primes}, {name})"

    def _tool(self) -> Path:
        return Path(shutil.which(self.compiler, path=tool_environment()["PATH"]) or "").resolve()

    def _package(self, pattern: str) -> Path:
        """A package that componentize-js brings along, beside it or below it."""
        for folder in self._tool().parents:
            for packages in (folder / "node_modules" / "@bytecodealliance", folder.parent):
                for found in sorted(packages.glob(pattern)):
                    return found
        raise BuildFailed(f"{self.compiler} has no {pattern} beside it: run '{self.install}'")
