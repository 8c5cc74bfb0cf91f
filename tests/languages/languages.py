"""The languages of the conformance suite: one entry each.

Neighbours: `cases.py` is the other side of the table; `edge.build` compiles. Each language's guests
are in `guests/LANGUAGE/`, its SDK is `sdk/LANGUAGE`.
Invariant: a guest is built once for its content and kept outside the repository, in
`EDGE_TEST_CACHE` or `~/.cache/edge-guests`; a file there is complete, as a rename gave it its name.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.build.assemblyscript import AssemblyScript
from edge.build.c import C
from edge.build.go import Go
from edge.build.javascript import JavaScript
from edge.build.language import Language as Compiler
from edge.build.project import Project, tree_files
from edge.build.python import Python
from edge.build.rust import Rust
from edge.build.starlingmonkey import StarlingMonkey
from edge.build.zig import Zig
from edge.model.errors import BuildFailed, MissingToolchain
from edge.model.function import Settings
from tests.toolchain import ROOT

CACHE = Path(os.environ.get("EDGE_TEST_CACHE", Path.home() / ".cache" / "edge-guests"))
NO_SETTINGS = Settings()


@dataclass(frozen=True, slots=True)
class Language:
    """One row: its compiler, and the cases it is excused from, each with the reason.

    `streaming` is the guest that streams, where one that does can do nothing else. `engine` tells
    two rows of one language apart; an optional one is skipped without its tools, in CI too.
    """

    compiler: Compiler
    exceptions: Mapping[str, str] = field(default_factory=dict)
    streaming: str = "conformance"
    engine: str = ""
    is_optional: bool = False

    @property
    def name(self) -> str:
        """As its folder in `guests/` and `sdk/`."""
        return self.compiler.name

    @property
    def title(self) -> str:
        """As in the table."""
        return self.engine or self.name

    def build(self, directory: Path, settings: Settings = NO_SETTINGS) -> bytes:
        """The module of a project, primed by `settings`; from the cache if it was built before."""
        source = self.compiler.find_source(directory)
        if source is None:
            raise BuildFailed(f"{directory} is no project in {self.name}")
        return self.build_source(source, settings)

    def build_source(self, source: Path, settings: Settings = NO_SETTINGS) -> bytes:
        """The same from the file or directory that is compiled."""
        directory = source if source.is_dir() else source.parent
        version = f"{self.compiler.check_toolchain()}{settings.primes}{settings.environment}"
        facts = f"{version}{os.path.relpath(source, directory)}"
        built = CACHE / f"{self.name}-{directory.name}-{_digest(facts, directory, self.name)}.wasm"
        if not built.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                output = Path(scratch) / built.name
                output.write_bytes(self.compile(source, settings))
                output.replace(built)
        return built.read_bytes()

    def compile(self, source: Path, settings: Settings = NO_SETTINGS) -> bytes:
        """The module of a file or directory, compiled now whatever was compiled before."""
        directory = source if source.is_dir() else source.parent
        project = Project(
            directory.name,
            source,
            directory,
            primes=settings.primes,
            environment=settings.environment,
        )
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch, "module.wasm")
            self.compiler.compile(project, output)
            return output.read_bytes()


def digest(module: bytes) -> str:
    """To compare two modules by: how they differ takes an assertion minutes to tell."""
    return hashlib.sha256(module).hexdigest()


def _digest(facts: str, directory: Path, language: str) -> str:
    """Names a build by `facts`, the project's files, the SDK's and edge's own."""
    digest = hashlib.sha256(facts.encode())
    for root in (directory, ROOT / "sdk" / language, ROOT / "edge" / "build"):
        for path in tree_files(root):
            content = path.read_bytes()
            digest.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:20]


def build_or_skip(language: Language, directory: Path, settings: Settings = NO_SETTINGS) -> bytes:
    """The project's module; without the compiler the test is skipped, except in CI."""
    try:
        return language.build(directory, settings)
    except MissingToolchain as missing:
        if os.environ.get("CI") == "true" and not language.is_optional:
            raise
        pytest.skip(missing.message)


def guest(language: Language, name: str) -> Path:
    """The folder of a guest."""
    return ROOT / "guests" / language.name / name


_NO_STREAM = "a handler on StarlingMonkey answers at once; a fetch event streams"
STARLINGMONKEY = Language(
    StarlingMonkey(),
    {
        "echo_number_kinds": "JSON has no infinity",
        "stream": _NO_STREAM,
        "stream_collected": _NO_STREAM,
        "stream_error": _NO_STREAM,
    },
    engine="starlingmonkey",
    is_optional=True,
)
LANGUAGES = (
    Language(C(), {"error_stack": "C keeps no record of its calls"}),
    Language(Rust()),
    Language(Go()),
    Language(Zig()),
    Language(AssemblyScript(), {"error_stack": "AssemblyScript cannot see its callers"}),
    Language(JavaScript(), {"echo_number_kinds": "JSON has no infinity"}, "streaming"),
    STARLINGMONKEY,
    Language(Python(), {"echo_number_kinds": "JSON has no infinity"}),
)
