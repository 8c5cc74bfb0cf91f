"""What a PATH on the command line means: which functions it declares.

Neighbours: `deploy`, `build` and `up` ask; `manifest.py` reads each manifest found, and
`edge/build/languages.py` knows the sources.
Invariant: no two functions found under one path share a name.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.build.languages import language_of_directory, language_of_file, suffixes
from edge.cli.manifest import MANIFEST_NAME, Declaration, read_manifest
from edge.model.errors import InvalidConfiguration
from edge.model.ids import is_name

MODULE_SUFFIX = ".wasm"
MANIFEST_SUFFIX = ".toml"
_GENERIC_STEMS = frozenset(("main", "index", "lib", "handler"))
"""Files of these names are called after their directory."""


def find_functions(path: Path, name: str | None = None) -> tuple[Declaration, ...]:
    """The functions of a `.wasm` file, a source, a manifest, or a directory.

    A directory holds an `edge.toml`, or is a project of some language, or holds such directories.
    A source that the manifest beside it declares is what it says there. `name` names the function
    of a file or project (the file's stem otherwise) and chooses one of a manifest's. Raises
    InvalidConfiguration.
    """
    if is_file_of_one(path):
        return (_declared_beside(path, name) or _bare(path, name),)
    declared = _unique(_declared_under(path, name))
    if name is None:
        return declared
    chosen = tuple(d for d in declared if d.name == name)
    if not chosen:
        names = ", ".join(d.name for d in declared)
        raise InvalidConfiguration(f"{path} declares no function {name!r}, only: {names}")
    return chosen


def is_file_of_one(path: Path) -> bool:
    """Whether `path` is a module or a source file, rather than a manifest or a directory."""
    if path.is_dir():
        return False
    return path.suffix == MODULE_SUFFIX or language_of_file(path) is not None


def _declared_beside(path: Path, name: str | None) -> Declaration | None:
    """The function that a manifest beside a source makes of it, if there is just one."""
    manifest = path.parent / MANIFEST_NAME
    if path.suffix == MODULE_SUFFIX or not manifest.is_file():
        return None
    found = [
        declaration
        for declaration in read_manifest(manifest)
        if declaration.source is not None and declaration.source.resolve() == path.resolve()
        if name in (None, declaration.name)
    ]
    return found[0] if len(found) == 1 else None


def _bare(path: Path, name: str | None) -> Declaration:
    """The function of a file or a project directory without a manifest."""
    name = name or _name_of(path)
    if not is_name(name):
        raise InvalidConfiguration(
            f"{name!r} cannot name a function: give --name with 1 to 64 letters, digits, '-' or '_'"
        )
    if path.suffix == MODULE_SUFFIX:
        return Declaration(name=name, declared_in=path, module=path)
    return Declaration(name=name, declared_in=path, source=path)


def _name_of(path: Path) -> str:
    """A file's stem, or the directory that it stands for."""
    if path.is_dir():
        return path.resolve().name
    return path.resolve().parent.name if path.stem in _GENERIC_STEMS else path.stem


def _declared_under(path: Path, name: str | None) -> Iterator[Declaration]:
    """What a manifest or a directory declares."""
    if path.is_file():
        if path.suffix != MANIFEST_SUFFIX:
            raise InvalidConfiguration(f"{path} cannot be deployed: name {_accepted()}")
        yield from read_manifest(path)
    elif _is_project(path):
        yield from _declared_in(path, name)
    else:
        found = [
            directory
            for directory in sorted(path.glob("*"))
            if (directory / MANIFEST_NAME).is_file()
        ]
        if not found:
            raise InvalidConfiguration(
                f"{path} holds no {MANIFEST_NAME}, nor does a directory in it: name {_accepted()}"
            )
        for directory in found:
            yield from _declared_in(directory, None)


def _is_project(directory: Path) -> bool:
    return (directory / MANIFEST_NAME).is_file() or language_of_directory(directory) is not None


def _declared_in(directory: Path, name: str | None) -> Iterable[Declaration]:
    """Of a directory with a manifest, or with a project and none."""
    manifest = directory / MANIFEST_NAME
    return read_manifest(manifest) if manifest.is_file() else (_bare(directory, name),)


def _accepted() -> str:
    kinds = ", ".join(suffixes())
    return (
        f"a {MODULE_SUFFIX} file, a source ({kinds}), an {MANIFEST_NAME}, or a directory with one"
    )


def _unique(declared: Iterable[Declaration]) -> tuple[Declaration, ...]:
    by_name: dict[str, Declaration] = {}
    for declaration in declared:
        twin = by_name.setdefault(declaration.name, declaration)
        if twin is not declaration:
            raise InvalidConfiguration(
                f"function {declaration.name!r} is declared twice:"
                f" in {twin.declared_in} and in {declaration.declared_in}"
            )
    return tuple(by_name.values())
