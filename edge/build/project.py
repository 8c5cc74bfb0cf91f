"""What is to be compiled, as a value, and which files belong to it.

Neighbours: `edge/cli/project.py` makes them from paths and manifests; each language compiles them.
Invariant: paths are absolute; nothing here says where the output goes.
"""

import os
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from edge.model.errors import BuildFailed
from edge.model.prime import Prime

FILES_MAX = 10_000
INPUT_BYTES_MAX = 256 << 20
_MADE_HERE = frozenset(("__pycache__", "node_modules", "zig-out"))
_MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")
"""Files by which caches (cargo's `target` among them) and virtual environments tell themselves."""
_OUTPUT_SUFFIXES = (".wasm", ".o", ".pyc")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A build command of the user's own, and the module that it leaves."""

    command: str
    module: Path


@dataclass(frozen=True, slots=True)
class Project:
    """One function's source, and what its build has to know.

    `source` is the file or directory that `Language.find_source` chose or the user named;
    compilers run in `directory`. `primes` and `environment` are for languages whose initialiser
    runs at build; the others' runs at deploy. `handler` is Lambda's `module.function`, where the
    language is not to find it itself. Of a project that `is_packed` the directory holds everything:
    nothing is fetched for it, and nothing outside goes into it. `stop` ends a build early.
    """

    name: str
    source: Path
    directory: Path
    recipe: Recipe | None = None
    handler: str = ""
    is_packed: bool = False
    primes: tuple[Prime, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    stop: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


def tree_files(directory: Path, suffixes: tuple[str, ...] = ()) -> Collection[Path]:
    """The files under `directory`, sorted; of these suffixes, where any are given.

    Hidden ones and what builds leave behind are passed over. Raises BuildFailed beyond FILES_MAX:
    the directory is then hardly a project.
    """
    found: list[Path] = []
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not is_made(Path(folder, name)))
        for file in sorted(files):
            is_output = file.startswith(".") or file.endswith(_OUTPUT_SUFFIXES)
            if not is_output and (not suffixes or file.endswith(suffixes)):
                found.append(Path(folder, file))
        if len(found) > FILES_MAX:
            raise BuildFailed(
                f"{directory} holds more than {FILES_MAX} files: give the function a directory of"
                " its own"
            )
    return found


def is_made(directory: Path) -> bool:
    """Whether a directory is hidden, or what tools make beside the sources, rather than theirs."""
    name = directory.name
    if name.startswith(".") or name in _MADE_HERE:
        return True
    return any((directory / mark).is_file() for mark in _MARKS)
