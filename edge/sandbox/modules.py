"""Compiled modules mapped into this process: loaded at the first call, let go when idle.

Neighbours: `build.py` wrote the files; `execution.py` starts guests from what is loaded here.
Invariant: a compiled file is used only if its checksum and engine identity are right; whatever
is not is treated as missing, and built again by the caller.
"""

import hashlib
import os
from collections import OrderedDict
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING

import wasmtime

from edge.host.wasi2.package import read_package
from edge.model.errors import NotFound, StorageFailure
from edge.model.function import GuestKind
from edge.model.limits import KIB
from edge.sandbox import raw
from edge.sandbox.component.loaded import LoadedComponent
from edge.sandbox.component.raw import WasmtimeRefusal
from edge.sandbox.engine import Engine
from edge.sandbox.imports import Imports
from edge.sandbox.inspect import inspect_module
from edge.sandbox.memories import Images

if TYPE_CHECKING:
    from edge.sandbox.first_slice import FirstSlice

CHECKSUM_SUFFIX = ".sha256"
_READ_BYTES = 256 * KIB


class LoadedModule:
    """One compiled module, linked: `pre` for guests on a fiber, `pre_at_once` for those without.

    `first_slice` and `stalls` are what its guests taught us: that they answer in one call, that
    they hold the loop up.
    """

    __slots__ = (
        "engine",
        "first_slice",
        "images",
        "kind",
        "pre",
        "pre_at_once",
        "stalls",
        "used_ns",
        "wasmtime_pres",
        "work",
    )

    def __init__(
        self,
        engine: Engine,
        imports: Imports,
        module: wasmtime.Module,
        first_slice: "FirstSlice | None",
        images: Images,
    ) -> None:
        """`images` is what its memory begins with, if that is not in the module."""
        found = inspect_module(module)
        self.engine = engine.pointer
        self.images = images
        self.kind = found.kind
        self.work = tuple(name.encode() for name in found.lifecycle)
        # A guest that has nothing to do before it allocates needs no fiber, until it waits.
        fits = found.kind is GuestKind.ABI and not self.work
        self.first_slice = first_slice if fits else None
        pre = at_once = imports.link(module)
        if self.first_slice is not None and found.waits:
            at_once = imports.link(module, at_once=True)
        self.wasmtime_pres = (pre, at_once)
        self.pre, self.pre_at_once = (raw.address_of(each.ptr()) for each in self.wasmtime_pres)
        self.stalls = False
        self.used_ns = perf_counter_ns()


Loaded = LoadedModule | LoadedComponent


class Modules:
    """The modules this process has mapped, at most `loaded_max`, by their image's digest."""

    def __init__(
        self,
        engine: Engine,
        imports: Imports,
        directory: Path,
        loaded_max: int,
        first_slice: "FirstSlice | None" = None,
    ) -> None:
        """Without `first_slice` every guest starts on a fiber."""
        self._engine = engine
        self._first_slice = first_slice
        self._imports = imports
        self._directory = directory / engine.identity
        self._loaded_max = loaded_max
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()

    def get(self, image: str) -> Loaded:
        """The module, mapped now if need be (0.1–1 ms). Raises NotFound when it must be built."""
        module = self._loaded.get(image)
        if module is None:
            module = self._load(image)
            self._loaded[image] = module
            while len(self._loaded) > self._loaded_max:
                self._loaded.popitem(last=False)
        else:
            self._loaded.move_to_end(image)
        return module

    def path(self, image: str) -> Path:
        """Where the compiled file of an image is."""
        return self._directory / f"{image}.cwasm"

    def let_go_idle(self, idle_s: float) -> int:
        """Unmap what was not called for `idle_s`; how many were. Live guests keep theirs."""
        horizon = perf_counter_ns() - int(idle_s * 1e9)
        idle = [image for image, module in self._loaded.items() if module.used_ns < horizon]
        for image in idle:
            del self._loaded[image]
        return len(idle)

    def forget(self, image: str) -> None:
        """Unmap one module, e.g. because its function was deleted."""
        self._loaded.pop(image, None)

    def _load(self, image: str) -> Loaded:
        path = self.path(image)
        beside = () if self._engine.memories is None else (memories_path(path),)
        if not is_intact(path, *beside):
            raise NotFound(f"the compiled module {image[:12]} is missing or damaged")
        images = self._open_images(path)
        try:
            module = wasmtime.Module.deserialize_file(self._engine.wasmtime, str(path))
        except wasmtime.WasmtimeError:
            return self._load_component(path, images)
        return LoadedModule(self._engine, self._imports, module, self._first_slice, images)

    def _open_images(self, path: Path) -> Images:
        """What its memories begin with, unless Wasmtime fills them. Raises NotFound."""
        memories = self._engine.memories
        if memories is None:
            return Images()
        try:
            return memories.open_images(memories_path(path))
        except OSError:
            label = path.stem[:12]
            raise NotFound(f"the memory of the compiled module {label} is missing") from None

    def _load_component(self, path: Path, images: Images) -> LoadedComponent:
        try:
            files = files_path(path)
            package = read_package(files.read_bytes()) if _exists(files) else None
            return self._imports.load_component(path, package, images)
        except WasmtimeRefusal:
            raise NotFound(f"the compiled module {path.stem[:12]} is stale") from None


def files_path(compiled: Path) -> Path:
    """A component's files, if it has any, beside its compiled file."""
    return Path(f"{compiled}.files")


def memories_path(compiled: Path) -> Path:
    """What a guest's memories begin with, where those are our own."""
    return Path(f"{compiled}.memories")


def _exists(path: Path) -> bool:
    """Whether such a file is there, or was."""
    return _checksum_of(path).exists()


def is_intact(path: Path, *beside: Path) -> bool:
    """Whether a compiled file is there and is the one that was written, and what is to be beside
    it, and its files, if it has any."""
    files = files_path(path)
    needed = (path, *beside, files) if _exists(files) else (path, *beside)
    try:
        return all(map(_is_as_written, needed))
    except OSError:
        return False


def _is_as_written(path: Path) -> bool:
    return checksum(path) == _checksum_of(path).read_text()


def _checksum_of(path: Path) -> Path:
    return Path(f"{path}{CHECKSUM_SUFFIX}")


def checksum(path: Path) -> str:
    """SHA-256 hex of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def write_compiled(path: Path, compiled: bytes) -> None:
    """Write a compiled file and its checksum, each by rename. Raises StorageFailure.

    A file that is mapped elsewhere keeps its old content under the same name's old inode.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(_checksum_of(path), hashlib.sha256(compiled).hexdigest().encode())
        _replace(path, compiled)
    except OSError as error:
        raise StorageFailure(f"the compiled module cannot be written: {error.strerror}") from None


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
