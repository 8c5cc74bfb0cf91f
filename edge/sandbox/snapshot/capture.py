"""Read the whole state of an initialised instance: memories, globals, tables, segments.

Neighbours: `run` left the instance, `instrument` the names to read it by; `rewrite` writes the
state down. Invariant: the state is complete, or `SnapshotRefused` is raised: whatever holds a
reference to something outside the module (host or garbage-collected objects) is not captured.
"""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot.constants import (
    NUMERIC_TYPES,
    encode_function_reference,
    encode_null,
    encode_number,
)
from edge.sandbox.snapshot.image import MemoryImage, make_image
from edge.sandbox.snapshot.instrument import Instrumented
from edge.sandbox.snapshot.run import Initialised
from edge.sandbox.snapshot.sections import ParsedModule
from edge.sandbox.snapshot.settings import SnapshotSettings

_PROBE_FUEL = 10_000
_VALUE_BITS_BYTES = 16


@dataclass(frozen=True, slots=True)
class TableImage:
    """A table of `size` slots; (offset, functions) for each stretch that is not null."""

    size: int
    runs: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class State:
    """All that an initialiser may have changed. `globals` are constant expressions by index."""

    memories: tuple[MemoryImage, ...]
    tables: tuple[TableImage, ...]
    globals: Mapping[int, bytes]
    dropped_data: frozenset[int]
    dropped_elements: frozenset[int]


def capture(
    module: ParsedModule,
    instrumented: Instrumented,
    initialised: Initialised,
    settings: SnapshotSettings,
) -> State:
    """The instance's state; raises SnapshotRefused for what no module can express."""
    names, reader = instrumented.names, _StateReader(instrumented, initialised)
    segments_max = settings.data_segments_max - len(module.data)
    memories = []
    for name in names.memories.values():
        memory = reader.memory(name)
        image = make_image(memory, max(1, segments_max), settings.image_bytes_max)
        segments_max -= len(image.runs)
        memories.append(image)
    if segments_max < 0:
        raise SnapshotRefused(
            f"its memory takes more than {settings.data_segments_max} data segments"
        )
    return State(
        memories=tuple(memories),
        tables=tuple(reader.table(name) for name in names.tables.values()),
        globals={
            index: reader.global_value(name, module.globals[index].type)
            for index, name in names.globals.items()
        },
        dropped_data=reader.dropped(names.data_probes),
        dropped_elements=reader.dropped(names.element_probes),
    )


class _StateReader:
    """Reads through the exports of one instance, and knows its functions by their address."""

    def __init__(self, instrumented: Instrumented, initialised: Initialised) -> None:
        self._instance = initialised
        self._store = initialised.store
        self._context = initialised.store._context()
        # Slots beyond the roster are null; there is one when the roster is empty.
        slots = zip(instrumented.roster, self._slots(instrumented.names.roster), strict=False)
        self._functions = {self._address(value): function for function, value in slots}

    def memory(self, name: str) -> bytes:
        memory = self._instance.exports[name]
        assert isinstance(memory, wasmtime.Memory)
        size = memory.data_len(self._store)
        return ctypes.string_at(memory.data_ptr(self._store), size) if size else b""

    def table(self, name: str) -> TableImage:
        runs: list[tuple[int, list[int]]] = []
        size = 0
        for slot, value in enumerate(self._slots(name)):
            size = slot + 1
            function = self._function(value)
            if function is None:
                continue
            if not runs or runs[-1][0] + len(runs[-1][1]) != slot:
                runs.append((slot, []))
            runs[-1][1].append(function)
        return TableImage(size, tuple((start, tuple(functions)) for start, functions in runs))

    def global_value(self, name: str, type_: bytes) -> bytes:
        """The constant expression that gives the global the value it has."""
        value = ffi.wasmtime_val_t()
        item = self._instance.exports[name]
        assert isinstance(item, wasmtime.Global)
        ffi.wasmtime_global_get(self._context, ctypes.byref(item._global), ctypes.byref(value))
        if type_ in NUMERIC_TYPES:
            bits = ctypes.string_at(ctypes.addressof(value.of), _VALUE_BITS_BYTES)
            return encode_number(type_, bits)
        function = self._function(value)
        return encode_null(type_) if function is None else encode_function_reference(function)

    def dropped(self, probes: Mapping[int, str]) -> frozenset[int]:
        """The segments whose probe traps."""
        return frozenset(index for index, name in probes.items() if self._traps(name))

    def _traps(self, name: str) -> bool:
        probe = self._instance.exports[name]
        assert isinstance(probe, wasmtime.Func)
        self._store.set_fuel(_PROBE_FUEL)
        try:
            probe(self._store)
        except wasmtime.Trap:
            return True
        return False

    def _slots(self, name: str) -> Iterator[Any]:
        """The values of a table, one after the other in the same place."""
        table = self._instance.exports[name]
        assert isinstance(table, wasmtime.Table)
        value, place = ffi.wasmtime_val_t(), ctypes.byref(table._table)
        for slot in range(table.size(self._store)):
            ffi.wasmtime_table_get(self._context, place, slot, ctypes.byref(value))
            yield value

    def _function(self, value: Any) -> int | None:
        """Which function a reference points to, None for null; raises SnapshotRefused."""
        # All references begin with the id of the store they belong to, 0 for null.
        if value.of.funcref.store_id == 0:
            return None
        if value.kind != ffi.WASMTIME_FUNCREF.value:
            ffi.wasmtime_val_unroot(ctypes.byref(value))
            raise SnapshotRefused(
                "after initialisation it holds a reference to an object outside its memory"
                " (extern or garbage-collected); drop it before the initialiser returns"
            )
        function = self._functions.get(self._address(value))
        if function is None:
            raise SnapshotRefused("after initialisation it holds a function that is not its own")
        return function

    def _address(self, value: Any) -> int:
        return int(ffi.wasmtime_func_to_raw(self._context, ctypes.byref(value.of.funcref)))
