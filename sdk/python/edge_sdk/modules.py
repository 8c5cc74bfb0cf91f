"""Modules from memory: a request can import what the build could.

An instance has its own `/tmp` and the function's files, but no modules. So at build, the sources
under every folder of the path are kept, compressed, and a finder at the end of the line serves
those that nothing has imported yet: an import inside a function then works as anywhere.

Neighbours: `task.py` fills it once, before the function is imported.
Invariant: reading is by module name or by the path the module had at build.
"""

import importlib.abc
import importlib.machinery
import os
import sys
import zlib
from collections.abc import Iterator, Sequence

_METADATA = ".dist-info"
_LEFT_OUT = frozenset(("__pycache__", "ensurepip", "idlelib", "pydoc_data", "site-packages")).union(
    ("test", "tkinter", "turtledemo")
)


class Archive(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Sources by module name, and where packages tell of themselves. Finder and loader in one."""

    def __init__(self) -> None:
        self._sources: dict[str, tuple[bytes, str, bool]] = {}
        self._distributions: dict[str, None] = {}

    def keep(self, folder: str) -> None:
        """Keep what is under `folder`."""
        for path, relative in _files(folder):
            if relative.endswith(".py"):
                self._keep_source(path, relative)
            elif os.path.dirname(path).endswith(_METADATA):
                self._distributions[os.path.dirname(path)] = None

    def _keep_source(self, path: str, relative: str) -> None:
        parts = relative[: -len(".py")].split("/")
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if name:
            packed = zlib.compress(_read(path), 1)
            self._sources.setdefault(name, (packed, path, is_package))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module that is kept."""
        if name in self._sources:
            return self._spec(name)
        prefix = f"{name}."
        if any(known.startswith(prefix) for known in self._sources):
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = []
            return spec
        return None

    def find_distributions(self, context: object) -> Iterator[object]:
        """The packages kept; `importlib.metadata` asks. Imported here: few requests need it."""
        from edge_sdk.distributions import find_distributions

        return find_distributions(context.name, tuple(self._distributions))

    def _spec(self, name: str) -> importlib.machinery.ModuleSpec:
        _, file, is_package = self._sources[name]
        spec = importlib.machinery.ModuleSpec(name, self, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return spec

    def is_package(self, fullname: str) -> bool:
        """Whether it has modules below it."""
        return self._sources[fullname][2]

    def get_source(self, fullname: str) -> str | None:
        """Its text; tracebacks ask for it, too."""
        known = self._sources.get(fullname)
        return None if known is None else zlib.decompress(known[0]).decode()

    def get_code(self, fullname: str) -> object:
        """Its code, with the path it had."""
        packed, file, _ = self._sources[fullname]
        return compile(zlib.decompress(packed), file, "exec", dont_inherit=True)

    def get_filename(self, fullname: str) -> str:
        """The path it had at build."""
        return self._sources[fullname][1]

    def get_resource_reader(self, fullname: str) -> object:
        """For `importlib.resources`: the files beside a package. Imported here, as seldom used."""
        from importlib.resources.readers import FileReader
        from types import SimpleNamespace

        return FileReader(SimpleNamespace(path=self.get_filename(fullname)))

    def get_data(self, path: str) -> bytes:
        """A file beside the modules; `pkgutil.get_data` comes here."""
        return _read(path)


def install(task: str) -> None:
    """Keep what is on the path. The function's modules are loaded from here already at build."""
    own, others = Archive(), Archive()
    own.keep(task)
    for folder in sys.path:
        if folder != task and os.path.isdir(folder):
            others.keep(folder)
    sys.meta_path.insert(0, own)
    sys.meta_path.append(others)


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Each file below, with its path and the path relative to `folder`."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        for file in sorted(files):
            path = os.path.join(place, file)
            yield path, os.path.relpath(path, folder)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
