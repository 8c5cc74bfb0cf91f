"""Link what an initialiser may import: `edge` without the world behind it, and WASI.

Neighbours: `run` calls `link`; `wasi` has WASI's functions, `host` the guard around them all.
Invariant: an initialiser reaches nothing but this: no file, no network, no other function.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import wasmtime

from edge.model.cbor import CborError, decode, encode
from edge.model.errors import InvalidModule
from edge.sandbox.snapshot.host import GuestMemory, Import, InitHost
from edge.sandbox.snapshot.wasi import FAULT, NOSYS, InitWasi

WASI_MODULE: Final = "wasi_snapshot_preview1"
_NUMBERS = frozenset(("i32", "i64", "f32", "f64"))
_REFUSAL = encode(
    {
        "error": {
            "code": "denied",
            "message": "host calls are refused during initialisation",
        }
    }
)

Signature: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


class InitEdge:
    """The `edge` module: lines are logged, calls refused but for a prime's prepared answers."""

    def __init__(self, host: InitHost) -> None:
        self._host = host
        self._answer = b""

    @property
    def functions(self) -> Mapping[str, tuple[Signature, Import]]:
        """Every import by name, with its type."""
        return {
            "log": ((("i32",) * 3, ()), self._log),
            "call": ((("i32",) * 2, ("i32",)), self._call),
            "take": ((("i32",), ()), self._take),
        }

    def _log(self, memory: GuestMemory, *values: int) -> None:
        level, start, length = values
        memory.check(start, length)
        kept = min(length, self._host.settings.log_bytes_max)
        self._host.log.write_line(level, memory.read(start, kept))

    def _call(self, memory: GuestMemory, *values: int) -> int:
        memory.check(*values)
        found = self._prepared(memory.read(*values)) if self._host.answers else None
        if found is None:
            self._host.warn(f"host calls made {self._host.phase} were refused")
        self._answer = _REFUSAL if found is None else found
        return len(self._answer)

    def _prepared(self, request: bytes) -> bytes | None:
        """The answer that stands beside the event for such a request."""
        try:
            wanted = decode(request)
        except CborError:
            return None
        for answer in self._host.answers:
            if answer.is_for(wanted):
                return encode(answer.answer)
        return None

    def _take(self, memory: GuestMemory, *values: int) -> None:
        memory.write(values[0], self._answer)
        self._answer = b""


def link(store: wasmtime.Store, module: wasmtime.Module, host: InitHost) -> list[wasmtime.Func]:
    """The imports of the module, in its order; raises InvalidModule for one nobody provides."""
    edge, wasi = InitEdge(host).functions, InitWasi(host).functions
    linked: list[wasmtime.Func] = []
    for item in module.imports:
        name, type_ = item.name or "", item.type
        if not isinstance(type_, wasmtime.FuncType):
            raise InvalidModule(f"import `{item.module}.{name}` is not a function")
        if item.module == "edge" and name in edge:
            signature, call = edge[name]
            _check(item, type_, signature)
            linked.append(_function(store, type_, host.guard(call, type_, on_fault=None)))
        elif item.module == WASI_MODULE and name in wasi:
            parameters, call = wasi[name]
            _check(item, type_, (parameters, () if name == "proc_exit" else ("i32",)))
            linked.append(_function(store, type_, host.guard(call, type_, on_fault=FAULT)))
        elif item.module == WASI_MODULE:
            linked.append(_missing(store, type_, name))
        else:
            raise InvalidModule(
                f"import `{item.module}.{name}` is not provided; a function may import"
                f" edge.log, edge.call, edge.take and {WASI_MODULE}"
            )
    return linked


def _check(item: wasmtime.ImportType, type_: wasmtime.FuncType, expected: Signature) -> None:
    found = _signature(type_)
    if found != expected:
        raise InvalidModule(
            f"import `{item.module}.{item.name}` has type {_text(found)}, not {_text(expected)}"
        )


def _signature(type_: wasmtime.FuncType) -> Signature:
    return tuple(map(str, type_.params)), tuple(map(str, type_.results))


def _text(signature: Signature) -> str:
    parameters, results = signature
    return f"({', '.join(parameters)}) -> ({', '.join(results)})"


def _function(store: wasmtime.Store, type_: wasmtime.FuncType, call: Import) -> wasmtime.Func:
    return wasmtime.Func(store, type_, call, access_caller=True)


def _missing(store: wasmtime.Store, type_: wasmtime.FuncType, name: str) -> wasmtime.Func:
    """A function that WASI has or had and an initialiser has no use for: always ENOSYS."""
    parameters, results = _signature(type_)
    if not _NUMBERS.issuperset(parameters + results) or len(results) > 1:
        raise InvalidModule(f"import `{WASI_MODULE}.{name}` is not a function of WASI preview 1")
    answer = {(): None, ("i32",): NOSYS, ("i64",): NOSYS}.get(results, float(NOSYS))
    return wasmtime.Func(store, type_, lambda *_: answer)
