"""JavaScript and TypeScript: bundled by esbuild, made a component by componentize-qjs.

Neighbours: `sdk/javascript/runtime` is bundled around the function: it has what QuickJS lacks and
runs the promises' jobs; `sdk/javascript/wit` is the world. `starlingmonkey.py`: the other engine.
Invariant: the output holds no path of this machine, nor anything else of it (`steady.py`).
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from edge.build.npm import PACKAGE, install_packages, is_settled, read_package
from edge.build.process import run_compiler, tool_environment
from edge.build.project import Project, tree_files
from edge.build.sdk import sdk_directory, wit_directory
from edge.build.steady import STEADY_SOURCE, steady_environment
from edge.model.errors import BuildFailed, MissingToolchain

_BUNDLER = "esbuild"
WORLD = "program"
BUNDLE = "bundle.js"
WIT = "wit"
_SURROUNDINGS = "surroundings.js"
_INPUTS = "inputs.json"
_ON_DEMAND: Mapping[str, tuple[str, ...]] = {
    "web/url.js": ("URL", "URLSearchParams"),
    "web/events.js": ("AbortController", "AbortSignal", "CustomEvent", "Event", "EventTarget"),
    "web/clone.js": ("structuredClone",),
    "streaming.js": ("awslambda",),
}
"""Globals that are made for the functions that name one of a module's, by that module."""
_ROOTS = ("index.js", "index.mjs", "index.ts", "src/index.js", "src/index.ts")
"""What a directory's handler may be in, where its package.json names no `main`."""
_BUNDLE = (
    "--bundle",
    "--format=esm",
    "--platform=neutral",
    "--main-fields=module,main",
    "--conditions=import,module,default",
    "--target=es2023",
    "--external:wasi:*",
    "--external:edge:*",
    # QuickJS opens no files: what a function reads, it imports.
    *(f"--loader:{suffix}=text" for suffix in (".csv", ".graphql", ".html", ".md", ".sql", ".xml")),
    "--keep-names",
    "--charset=utf8",
    "--log-level=warning",
)
_VERSION_SECONDS_MAX = 60
_OUTSIDE = re.compile(r"^ +(\.\./|/).*:\d+:\d+:$", re.MULTILINE)
"""Where an error is, beside the directory that it was looked for in."""
_QUOTE = re.compile("[\u2502\u2575]")


class JavaScript:
    """JavaScript or TypeScript, from one file, or from a package and what it depends on."""

    name = "javascript"
    suffixes: tuple[str, ...] = (".js", ".mjs", ".cjs", ".ts", ".mts")
    runtime = Path()
    """Where the engine's `globals.js` and `serve.js` are, in the SDK's `runtime/`."""
    compiler = "componentize-qjs"
    install = "npm install --global esbuild componentize-qjs"
    # The runtime's promises are its own, so these become generators over them.
    on_demand = _ON_DEMAND
    lowered: tuple[str, ...] = ("async-await", "async-generator", "for-await")

    def find_source(self, directory: Path) -> Path | None:
        """`main` of a package.json, else a file named as an entry is."""
        if (directory / "asconfig.json").is_file():
            return None  # AssemblyScript has the same suffix
        return _main_of(directory) or next(
            (directory / root for root in _ROOTS if (directory / root).is_file()), None
        )

    def find_handler(self, directory: Path, handler: str) -> Path:
        """The file that has the function of Lambda's `module.function`; raises BuildFailed."""
        folder, _, name = handler.rpartition("/")
        module, dot, function = name.partition(".")
        for suffix in self.suffixes:
            found = directory / folder / f"{module}{suffix}"
            if ".." not in found.parts and found.is_file() and dot and function:
                return found
        raise BuildFailed(
            f"Handler {handler[:80]!r} names no function of the package: write MODULE.FUNCTION, for"
            f" a file MODULE with one of {', '.join(self.suffixes)}"
        )

    def inputs(self, project: Project) -> Collection[Path] | None:
        """The package's files, and what npm locked; unknown where packages are not locked, or lie
        beside the sources."""
        if project.is_packed:
            return None
        if not (project.directory / PACKAGE).is_file():
            return (project.source, *tree_files(wit_directory()), STEADY_SOURCE)
        if not is_settled(project.directory):
            return None
        return (*tree_files(project.directory), *tree_files(wit_directory()), STEADY_SOURCE)

    def check_toolchain(self) -> str:
        """The versions of both tools; raises MissingToolchain."""
        for tool in (_BUNDLER, self.compiler):
            if shutil.which(tool, path=tool_environment()["PATH"]) is None:
                raise MissingToolchain(f"{tool} is not on the PATH: run '{self.install}'")
        return "\n".join((_version_of(_BUNDLER), _package_version(self.compiler)))

    def compile(self, project: Project, output: Path) -> None:
        """Fetch the package's dependencies if they are not there, bundle, and componentize."""
        install_packages(project)
        sdk = sdk_directory(self.name)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            entry, bundle = folder / "entry.js", folder / BUNDLE
            lowered = [f"--supported:{feature}=false" for feature in self.lowered]
            _bundle(project.source, bundle, project, "--external:edge", *lowered)
            if not self.is_whole(bundle.read_text()):
                surroundings = self._surroundings(sdk, project, bundle.read_text())
                (folder / _SURROUNDINGS).write_text(surroundings)
                entry.write_text(self._entry(sdk / "runtime" / self.runtime, project))
                _bundle(entry, bundle, project, f"--alias:edge={sdk / 'index.js'}", *lowered)
            if project.is_packed:
                _check_inputs(folder / _INPUTS, project, (sdk, folder))
            bundle.write_text(_without_places(bundle.read_text(), project.source))
            shutil.copytree(sdk / "wit", folder / WIT)
            shutil.copytree(wit_directory(), folder / WIT / "deps" / "edge")
            self.componentize(project, folder, output)
        if not output.is_file():
            raise BuildFailed(f"{project.name}: {self.compiler} made no component")

    def is_whole(self, function: str) -> bool:
        """Whether a bundled function is a component's program as it is, with no handler to call."""
        return False

    def componentize(self, project: Project, folder: Path, output: Path) -> None:
        """Make the component of `BUNDLE` and `WIT` in `folder`."""
        run_compiler(
            [
                *(self.compiler, "--wit", WIT, "--world", WORLD, "--js", BUNDLE),
                *("--sync", "--output", output),
            ],
            project,
            directory=folder,
            environment=steady_environment(project, folder),
        )

    def _entry(self, runtime: Path, project: Project) -> str:
        """The module that loads the globals, then the function, and exports what the host calls."""
        primes = [{"event": prime.event, "answers": prime.answers} for prime in project.primes]
        name = project.handler.rpartition("/")[2].partition(".")[2]
        return (
            f"import {json.dumps(str(runtime / 'globals.js'))};\n"
            f'import "./{_SURROUNDINGS}";\n'
            f"import * as module from {json.dumps(str(project.source))};\n"
            f"import {{ serve }} from {json.dumps(str(runtime / 'serve.js'))};\n"
            f"export const handle = {self._serving(json.dumps(primes), json.dumps(name))};\n"
        )

    def _serving(self, primes: str, name: str) -> str:
        return f"serve(module, {primes}, {name})"

    def _surroundings(self, sdk: Path, project: Project, function: str) -> str:
        """The module that says what the function's module-level code finds: what it has in its
        environment, and those of the larger globals that its text names anywhere."""
        runtime = sdk / "runtime"
        environment = dict(project.environment)
        lines = [
            f"import {{ stage }} from {json.dumps(str(runtime / 'stage.js'))};",
            f"stage.environment = {json.dumps(environment)};",
        ]
        for module, names in self.on_demand.items():
            if re.search(rf"\b({'|'.join(names)})\b", function):
                imported = ", ".join(names)
                lines.append(f"import {{ {imported} }} from {json.dumps(str(runtime / module))};")
                lines.append(f"Object.assign(globalThis, {{ {imported} }});")
        return "\n".join(lines)


def _bundle(root: Path, output: Path, project: Project, *options: str) -> None:
    """Put all that `root` imports into `output`; the names of it go beside that."""
    files = (f"--outfile={output}", f"--metafile={output.with_name(_INPUTS)}")
    try:
        run_compiler([_BUNDLER, root, *_BUNDLE, *options, *files], project)
    except BuildFailed as failed:
        if not project.is_packed or not _OUTSIDE.search(failed.message):
            raise
        raise BuildFailed(_without_quotes(failed.message)) from None


def _without_quotes(said: str) -> str:
    """Without the lines that esbuild quotes, as one of the files is not in the package."""
    return "\n".join(line for line in said.splitlines() if not _QUOTE.search(line))


def _check_inputs(said: Path, project: Project, more: tuple[Path, ...]) -> None:
    """Raises BuildFailed when the bundler took a file from elsewhere on this machine."""
    allowed = tuple(place.resolve() for place in (project.directory, *more))
    for name in json.loads(said.read_text())["inputs"]:
        place = (project.directory / name).resolve()
        if not any(place.is_relative_to(each) for each in allowed):
            raise BuildFailed(f"{project.name} imports {name}, which is not in the package")


def _without_places(bundle: str, source: Path) -> str:
    """Without the comments that name each file by where it lies, and the names that esbuild gives
    an `index` after its folder."""
    lines = bundle.splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("// "))
    name = re.sub(r"[^\w$]+", "_", source.parent.stem).lstrip("0123456789")
    if source.stem != "index" or not name:
        return text
    mine = re.escape(name)
    return re.sub(rf"\b(?:(require_){mine}|{mine}(_exports|_default))\b", r"\1index\2", text)


def _main_of(directory: Path) -> Path | None:
    main = read_package(directory).get("main")
    source = directory / main if isinstance(main, str) else None
    return source if source is not None and source.is_file() else None


def _version_of(tool: str) -> str:
    said = subprocess.run(
        [tool, "--version"],
        env=tool_environment(),
        capture_output=True,
        text=True,
        timeout=_VERSION_SECONDS_MAX,
        check=False,
    )
    return said.stdout.strip()


def _package_version(tool: str) -> str:
    """Of a tool that has no option for it: what the package it lies in says."""
    found = Path(shutil.which(tool, path=tool_environment()["PATH"]) or tool).resolve()
    for folder in found.parents:
        said = read_package(folder).get("version")
        if said:
            return f"{tool} {said}"
    return str(found)
