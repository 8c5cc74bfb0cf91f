"""The languages that edge builds, in one table, and which of them a path is written in.

Neighbours: `edge/cli` asks; a new language is a module of this room and a row here.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from edge.build.assemblyscript import AssemblyScript
from edge.build.c import C, Cpp
from edge.build.go import Go
from edge.build.javascript import JavaScript
from edge.build.language import Language
from edge.build.python import Python
from edge.build.rust import Rust
from edge.build.starlingmonkey import StarlingMonkey
from edge.build.zig import Zig

LANGUAGES: tuple[Language, ...] = (
    C(),
    Cpp(),
    Go(),
    Rust(),
    Zig(),
    AssemblyScript(),
    Python(),
    JavaScript(),
)
"""Where two could claim a directory, the first one does."""


ENGINES: Mapping[str, Language] = MappingProxyType(
    {"quickjs": JavaScript(), "starlingmonkey": StarlingMonkey()}
)
"""What a manifest may choose for JavaScript; the first is what it gets otherwise."""


def language_named(name: str) -> Language | None:
    """The language of that name."""
    return next((language for language in LANGUAGES if language.name == name), None)


def language_of_file(path: Path) -> Language | None:
    """The language whose suffix a source file has."""
    return next((language for language in LANGUAGES if path.suffix in language.suffixes), None)


def language_of_directory(directory: Path) -> tuple[Language, Path] | None:
    """The language that a directory is a project of, and what to compile in it."""
    for language in LANGUAGES:
        source = language.find_source(directory)
        if source is not None:
            return language, source
    return None


def suffixes() -> tuple[str, ...]:
    """Of every language's source files."""
    return tuple(suffix for language in LANGUAGES for suffix in language.suffixes)
