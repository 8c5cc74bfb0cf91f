"""Runs guests beside each other: from a plain start, and from their snapshot.

Neighbours: the tests of this folder. It drives Wasmtime directly, not through the sandbox, so
that what is compared is the module and nothing else.
"""

from collections.abc import Sequence

import wasmtime

from edge.sandbox.snapshot import Snapshot, SnapshotSettings, take_snapshot

FUEL = 1_000_000_000
SETTINGS = SnapshotSettings(fuel_max=FUEL, memory_bytes_max=64 * 1024 * 1024)
INITIALISERS = ("_initialize", "edge_init")


def wat(text: str) -> bytes:
    """A module from its text form."""
    return bytes(wasmtime.wat2wasm(text))


def snapshot(module: str | bytes) -> Snapshot:
    """The snapshot of a module (or its text) under the tests' settings."""
    return take_snapshot(wat(module) if isinstance(module, str) else module, SETTINGS)


class Guest:
    """One instance of a module with an empty WASI and a deaf `edge` behind it."""

    def __init__(self, module: bytes) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        config.cranelift_opt_level = "none"
        config.cranelift_nan_canonicalization = True
        engine = wasmtime.Engine(config)
        compiled = wasmtime.Module(engine, module)
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasmtime.WasiConfig())
        self.store.set_fuel(FUEL)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        linker.define_unknown_imports_as_default_values(self.store, compiled)
        self.exports = linker.instantiate(self.store, compiled).exports(self.store)

    def initialise(self) -> "Guest":
        """Run the exported initialisers, as a plain start does; a snapshot has none."""
        for name in INITIALISERS:
            if name in self.exports:
                self.call(name)
        return self

    def call(self, name: str, *arguments: int) -> object:
        """Call an export."""
        function = self.exports[name]
        assert isinstance(function, wasmtime.Func)
        return function(self.store, *arguments)

    def memory(self, name: str = "memory") -> wasmtime.Memory:
        """An exported memory."""
        memory = self.exports[name]
        assert isinstance(memory, wasmtime.Memory)
        return memory

    def bytes_of(self, name: str = "memory") -> bytes:
        """All of an exported memory."""
        return bytes(self.memory(name).read(self.store))

    def handle(self, event: bytes) -> bytes:
        """One invocation by the core-module ABI."""
        pointer = self.call("edge_alloc", len(event))
        assert isinstance(pointer, int)
        self.memory().write(self.store, event, pointer)
        packed = self.call("edge_handle", pointer, len(event))
        assert isinstance(packed, int)
        start, length = packed >> 32 & 0xFFFFFFFF, packed & 0xFFFFFFFF
        return bytes(self.memory().read(self.store, start, start + length))


def both(module: bytes, taken: Snapshot) -> tuple[Guest, Guest]:
    """The plain start and the snapshot's, ready for an event."""
    return Guest(module).initialise(), Guest(taken.module).initialise()


def answers(module: bytes, taken: Snapshot, events: Sequence[bytes]) -> list[bytes]:
    """What both answer, each event to fresh instances, after checking that they agree."""
    found = []
    for event in events:
        plain, restored = (guest.handle(event) for guest in both(module, taken))
        assert plain == restored
        found.append(restored)
    return found
