"""The least host that runs a guest: plain `wasmtime` classes, and the ABI as `docs/abi.md` has it.

It exists so that the SDKs are tested against the ABI's text and not against edge's own host, which
has its own tests. One instance per request, as in production; no snapshot, and no limits but memory
and fuel, so that a guest that loops or hoards fails its test instead of hanging it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import wasmtime

MEMORY_BYTES_MAX = 128 * 1024 * 1024
FUEL_MAX = 20_000_000_000

Answer = Callable[[dict[str, Any]], object]
"""Answers one host call: takes the request, returns `{"ok": …}` or `{"error": …}`, or raw bytes."""

Load = Callable[[str], "BareHost"]
"""Gives the host of a guest by its name."""


def deny(request: dict[str, Any]) -> object:
    """The answer to a function without any grant."""
    return {"error": {"code": "denied", "message": f"no grant for {request['op']}"}}


class BareHost:
    """A compiled guest and what it said: `lines` of (level, text) and `requests`, decoded."""

    def __init__(self, module: bytes | Path, answer: Answer = deny, fuel: int = FUEL_MAX) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        self._engine = wasmtime.Engine(config)
        wasm = module.read_bytes() if isinstance(module, Path) else module
        self._module = wasmtime.Module(self._engine, wasm)
        self._answer = answer
        self._fuel = fuel
        self._waiting = b""
        self.lines: list[tuple[int, str]] = []
        self.requests: list[dict[str, Any]] = []

    def invoke(self, event: object, **context: object) -> dict[str, Any]:
        """One request in a fresh instance; returns the guest's envelope."""
        envelope = cbor2.loads(self.invoke_raw(cbor2.dumps({"event": event, "context": context})))
        assert isinstance(envelope, dict)
        return envelope

    def ok(self, event: object, **context: object) -> Any:
        """The value of a request that must succeed."""
        envelope = self.invoke(event, **context)
        assert set(envelope) == {"ok"}, envelope
        return envelope["ok"]

    def invoke_raw(self, message: bytes) -> bytes:
        """The same with the bytes as they are, in and out; a trap raises `wasmtime.Trap`."""
        store = wasmtime.Store(self._engine)
        store.set_limits(memory_size=MEMORY_BYTES_MAX)
        store.set_fuel(self._fuel)
        store.set_wasi(wasmtime.WasiConfig())
        exports: Any = self._linker().instantiate(store, self._module).exports(store)
        for phase in ("_initialize", "edge_init", "edge_restore"):
            if phase in exports:
                exports[phase](store)
        address = exports["edge_alloc"](store, len(message))
        assert address != 0, "the guest has no room for its event"
        exports["memory"].write(store, message, address)
        packed = exports["edge_handle"](store, address, len(message)) & (2**64 - 1)
        start, length = packed >> 32, packed & 0xFFFFFFFF
        return bytes(exports["memory"].read(store, start, start + length))

    def _linker(self) -> wasmtime.Linker:
        """A linker of this host's imports. It is not kept: it refers back to the host."""
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        i32 = wasmtime.ValType.i32()
        for name, function, arity, results in (
            ("log", self._log, 3, []),
            ("call", self._call, 2, [i32]),
            ("take", self._take, 1, []),
        ):
            kind = wasmtime.FuncType([i32] * arity, results)
            linker.define_func("edge", name, kind, function, access_caller=True)
        return linker

    def _log(self, caller: Any, level: int, start: int, length: int) -> None:
        text = bytes(caller["memory"].read(caller, start, start + length))
        self.lines.append((level, text.decode()))

    def _call(self, caller: Any, start: int, length: int) -> int:
        request = cbor2.loads(bytes(caller["memory"].read(caller, start, start + length)))
        self.requests.append(request)
        answer = self._answer(request)
        self._waiting = answer if isinstance(answer, bytes) else cbor2.dumps(answer)
        return len(self._waiting)

    def _take(self, caller: Any, start: int) -> None:
        caller["memory"].write(caller, self._waiting, start)
