"""One compiled component, mapped into this process and linked.

Neighbours: `sandbox/modules.py` keeps them, `execution.py` starts guests from them.
Invariant: linker, component and export index live as long as this object, and every live guest
holds it.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns

import wasmtime
from wasmtime import component as wit

from edge.host.wasi2.package import Package
from edge.model.errors import InvalidModule
from edge.sandbox.component import raw
from edge.sandbox.component.inspect import inspect_component
from edge.sandbox.component.link import Linked
from edge.sandbox.component.values import Codec, owned_resource
from edge.sandbox.engine import Engine
from edge.sandbox.memories import Images
from edge.sandbox.raw import address_of
from edge.sandbox.seats import Seat


class LoadedComponent:
    """A component ready to be started. `stalls` is what its guests taught us."""

    first_slice = None

    __slots__ = (
        "component",
        "engine",
        "images",
        "index",
        "kind",
        "linked",
        "owned",
        "package",
        "pointer",
        "stalls",
        "used_ns",
    )

    def __init__(
        self,
        engine: Engine,
        component: wit.Component,
        seats: Sequence[Seat],
        images: Images,
        package: Package | None = None,
    ) -> None:
        """`images` is what its memories begin with, if that is not in it."""
        found = inspect_component(component, engine.wasmtime)
        self.index = 0
        self.engine = engine.pointer
        self.component = component
        self.pointer = address_of(component.ptr())
        self.kind = found.kind
        self.owned: Codec = owned_resource()
        self.package = package
        self.images = images
        self.stalls = False
        self.used_ns = perf_counter_ns()
        self.linked = Linked(engine.wasmtime, found.imports, seats)
        self.index = self._find(found.handler)

    def __del__(self) -> None:
        if getattr(self, "index", 0):
            raw.export_index_delete(self.index)
        if linked := getattr(self, "linked", None):
            linked.close()

    def _find(self, path: tuple[str, ...]) -> int:
        """The index of an export, by the names that lead to it."""
        index = 0
        for name in path:
            label = name.encode()
            found = raw.export_index(self.pointer, index or None, label, len(label))
            if index:
                raw.export_index_delete(index)
            if not found:
                raise InvalidModule(f"the component does not export {'/'.join(path)}")
            index = found
        return index


def load_component(
    engine: Engine, path: Path, seats: Sequence[Seat], package: Package | None, images: Images
) -> LoadedComponent:
    """Map a compiled file. Raises WasmtimeRefusal when it is stale, InvalidModule."""
    out = ctypes.POINTER(wasmtime._ffi.wasmtime_component_t)()
    raw.check(raw.component_load(engine.pointer, str(path).encode(), ctypes.addressof(out)))
    return LoadedComponent(engine, wit.Component._from_ptr(out), seats, images, package)
