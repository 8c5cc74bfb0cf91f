"""What a PATH on the command line means: which functions it declares.

Neighbours: `deploy` and `up` ask; `manifest.py` reads each manifest found.
Invariant: no two functions found under one path share a name.
"""

from collections.abc import Iterable
from pathlib import Path

from edge.cli.manifest import MANIFEST_NAME, Declaration, read_manifest
from edge.model.errors import InvalidConfiguration
from edge.model.ids import is_name

MODULE_SUFFIX = ".wasm"
MANIFEST_SUFFIX = ".toml"
_ACCEPTED = f"a {MODULE_SUFFIX} file, an {MANIFEST_NAME}, or a directory with one"


def find_functions(path: Path, name: str | None = None) -> tuple[Declaration, ...]:
    """The functions declared by a `.wasm` file, a manifest, or a directory.

    A directory holds an `edge.toml`, or directories that do. `name` names the function of a
    `.wasm` file (its stem otherwise) and chooses one of a manifest's. Raises InvalidConfiguration.
    """
    if is_module(path):
        return (_bare_module(path, name),)
    declared = _unique(d for manifest in _manifests(path) for d in read_manifest(manifest))
    if name is None:
        return declared
    chosen = tuple(d for d in declared if d.name == name)
    if not chosen:
        names = ", ".join(d.name for d in declared)
        raise InvalidConfiguration(f"{path} declares no function {name!r}, only: {names}")
    return chosen


def is_module(path: Path) -> bool:
    """Whether `path` is taken for a compiled module rather than for a manifest or directory."""
    return path.suffix == MODULE_SUFFIX and not path.is_dir()


def _bare_module(path: Path, name: str | None) -> Declaration:
    name = name or path.stem
    if not is_name(name):
        raise InvalidConfiguration(
            f"{name!r} cannot name a function: give --name with 1 to 64 letters, digits, '-' or '_'"
        )
    return Declaration(name=name, module=path, source=path)


def _manifests(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        if path.suffix != MANIFEST_SUFFIX:
            raise InvalidConfiguration(f"{path} cannot be deployed: name {_ACCEPTED}")
        return (path,)
    if (path / MANIFEST_NAME).is_file():
        return (path / MANIFEST_NAME,)
    found = tuple(sorted(path.glob(f"*/{MANIFEST_NAME}")))
    if not found:
        raise InvalidConfiguration(
            f"{path} holds no {MANIFEST_NAME}, nor does a directory in it: name {_ACCEPTED}"
        )
    return found


def _unique(declared: Iterable[Declaration]) -> tuple[Declaration, ...]:
    by_name: dict[str, Declaration] = {}
    for declaration in declared:
        twin = by_name.setdefault(declaration.name, declaration)
        if twin is not declaration:
            raise InvalidConfiguration(
                f"function {declaration.name!r} is declared twice:"
                f" in {twin.source} and in {declaration.source}"
            )
    return tuple(by_name.values())
