"""Tell what kind of guest a module is, and what it lacks if it is none.

Neighbours: `build.py` asks at deploy, `modules.py` at load.
Invariant: a module that `inspect_module` let through can be linked and driven.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import wasmtime

from edge.host import wasi
from edge.model.errors import InvalidModule
from edge.model.function import GuestKind

ABI_MODULE = "edge"
WASI_MODULE = "wasi_snapshot_preview1"

ABI_EXPORTS: Mapping[str, str] = {
    "edge_alloc": "(i32) -> i32",
    "edge_handle": "(i32, i32) -> i64",
}
LIFECYCLE_EXPORTS = ("_initialize", "edge_init", "edge_restore")
ABI_IMPORTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "log": (("i32", "i32", "i32"), ()),
    "call": (("i32", "i32"), ("i32",)),
    "take": (("i32",), ()),
}
ASYNC_IMPORTS = frozenset({(ABI_MODULE, "call"), (WASI_MODULE, "poll_oneoff")})
"""Imports that may wait, so that a module with one of them must be started asynchronously."""

_IMPORTS_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a module exports and imports, as far as driving it goes."""

    kind: GuestKind
    lifecycle: tuple[str, ...]
    imports: tuple[tuple[str, str], ...]

    @property
    def waits(self) -> bool:
        """Whether the guest can wait for the host."""
        return not ASYNC_IMPORTS.isdisjoint(self.imports)


def import_types(module: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """(parameters, results) of an import we offer, or None."""
    if module == ABI_MODULE:
        return ABI_IMPORTS.get(name)
    if module == WASI_MODULE and name in wasi.FUNCTIONS:
        function = wasi.FUNCTIONS[name]
        return function.params, () if name == "proc_exit" else ("i32",)
    return None


def inspect_module(module: wasmtime.Module) -> Inspection:
    """Kind, lifecycle exports and imports; raises InvalidModule naming what is missing."""
    exports = {export.name: export.type for export in module.exports}
    imports = tuple((item.module, item.name or "") for item in module.imports)
    _check_imports(module)
    if not isinstance(exports.get("memory"), wasmtime.MemoryType):
        raise InvalidModule("the module does not export its memory under the name 'memory'")
    if "edge_handle" in exports or "edge_alloc" in exports:
        _check_abi(exports)
        lifecycle = tuple(name for name in LIFECYCLE_EXPORTS if name in exports)
        for name in lifecycle:
            _check_type(name, exports[name], "() -> ()")
        return Inspection(GuestKind.ABI, lifecycle, imports)
    if "_start" in exports:
        _check_type("_start", exports["_start"], "() -> ()")
        return Inspection(GuestKind.COMMAND, ("_start",), imports)
    raise InvalidModule(
        "the module is no function: it exports neither edge_handle and edge_alloc (the guest ABI,"
        " docs/abi.md) nor _start (a WASI preview 1 command)"
    )


def _check_abi(exports: Mapping[str, object]) -> None:
    missing = [name for name in ABI_EXPORTS if name not in exports]
    if missing:
        raise InvalidModule(f"the module does not export {' and '.join(missing)} (docs/abi.md)")
    for name, signature in ABI_EXPORTS.items():
        _check_type(name, exports[name], signature)


def _check_type(name: str, export: object, signature: str) -> None:
    if not isinstance(export, wasmtime.FuncType) or _signature(export) != signature:
        found = _signature(export) if isinstance(export, wasmtime.FuncType) else "no function"
        raise InvalidModule(f"export {name} must be a function {signature}, and is {found}")


def _check_imports(module: wasmtime.Module) -> None:
    unknown = []
    for item in module.imports:
        offered = import_types(item.module, item.name or "")
        label = f"{item.module}.{item.name}"
        if offered is None:
            unknown.append(label)
        elif not isinstance(item.type, wasmtime.FuncType) or _types(item.type) != offered:
            expected = _spell(*offered)
            raise InvalidModule(f"import {label} must be a function {expected}")
    if unknown:
        raise InvalidModule(
            f"the module imports what no host function answers: {_name_some(unknown)};"
            f" '{ABI_MODULE}' and '{WASI_MODULE}' are offered (docs/abi.md)"
        )


def _name_some(names: Collection[str]) -> str:
    listed = ", ".join(list(names)[:_IMPORTS_NAMED_MAX])
    more = len(names) - _IMPORTS_NAMED_MAX
    return f"{listed} and {more} more" if more > 0 else listed


def _types(function: wasmtime.FuncType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(map(str, function.params)), tuple(map(str, function.results))


def _spell(params: tuple[str, ...], results: tuple[str, ...]) -> str:
    answer = results[0] if len(results) == 1 else f"({', '.join(results)})"
    return f"({', '.join(params)}) -> {answer}"


def _signature(function: wasmtime.FuncType) -> str:
    return _spell(*_types(function))
