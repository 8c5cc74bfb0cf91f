"""The gate between guest and host: every import a guest calls comes in through here.

Each import is one callback for the whole process. It finds the calling guest by the number its
store carries, runs the host function over that guest's session and memory, and keeps the time.
Nothing raised goes through Wasmtime: it is kept on the instance, and the guest is stopped.

Neighbours: `host/` has the functions; `modules.py` links a module with `link`.
Invariant: a callback returns normally, whatever happened; what one guest caused stays with it.
"""

import ctypes
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import wasmtime

from edge.host import wasi
from edge.host.calls import HostCalls
from edge.host.log import write_log
from edge.host.memory import Memory
from edge.host.wasi import poll as wasi_poll
from edge.host.wasi2.package import Package
from edge.model.errors import InvalidModule
from edge.sandbox import raw
from edge.sandbox.component.loaded import LoadedComponent, load_component
from edge.sandbox.engine import Engine
from edge.sandbox.inspect import ABI_MODULE, ASYNC_IMPORTS, WASI_MODULE, import_types
from edge.sandbox.instance import Instance, Request, Sleep
from edge.sandbox.memories import Images
from edge.sandbox.seats import Seats

_VALUE_TYPES: Mapping[str, Callable[[], wasmtime.ValType]] = {
    "i32": wasmtime.ValType.i32,
    "i64": wasmtime.ValType.i64,
}
_RAW_LAYOUT = {"i32": "I12x", "i64": "Q8x"}  # one value in sixteen bytes
_ARGUMENTS_MAX = 9

Key = tuple[str, str]
Run = Callable[..., int | None]


class Imports:
    """All imports a guest may have, ready to link. Lives as long as the process."""

    def __init__(self, engine: Engine, seats: Seats, calls: HostCalls) -> None:
        self._engine = engine
        self._seats = seats.by_number
        self._calls = calls
        self._ready = raw.Continuation(self._is_ready)
        self._ready_address = raw.address_of(self._ready)
        # Callbacks must outlive every guest that is linked with them.
        self._callbacks: dict[Key, Any] = {
            (ABI_MODULE, "log"): self._unchecked(write_log, ("i32", "i32", "i32"), False),
            (ABI_MODULE, "take"): self._unchecked(None, ("i32",), False),
            (ABI_MODULE, "call"): self._async(self._begin_call),
            (WASI_MODULE, "poll_oneoff"): self._async(self._begin_poll),
        }
        self._at_once = {key: raw.UncheckedCallback(_end_slice) for key in ASYNC_IMPORTS}
        for name, function in wasi.FUNCTIONS.items():
            if (WASI_MODULE, name) not in self._callbacks:
                self._callbacks[WASI_MODULE, name] = self._unchecked(
                    function.run, function.params, True
                )

    def load_component(
        self, path: Path, package: Package | None, images: Images
    ) -> LoadedComponent:
        """A compiled component with its own imports defined, its files, and its memories' images.

        Raises WasmtimeRefusal when stale.
        """
        return load_component(self._engine, path, self._seats, package, images)

    def link(self, module: wasmtime.Module, *, at_once: bool = False) -> wasmtime.InstancePre:
        """Resolve the module's imports, and only those; raises InvalidModule.

        `at_once` is for guests without a fiber: an import that may wait ends their slice.
        """
        linker = wasmtime.Linker(self._engine.wasmtime)
        pointer = raw.address_of(linker.ptr())
        for item in module.imports:
            key = (item.module, item.name or "")
            types = import_types(*key)
            if types is None:
                raise InvalidModule(f"nothing answers the import {key[0]}.{key[1]}")
            callback = self._at_once.get(key) if at_once else None
            self._define(pointer, key, types, callback or self._callbacks[key])
        try:
            return linker.instantiate_pre(module)
        except wasmtime.WasmtimeError as error:
            raise InvalidModule(f"the module cannot be linked: {error}") from None

    @staticmethod
    def _define(
        linker: int, key: Key, types: tuple[tuple[str, ...], tuple[str, ...]], callback: Any
    ) -> None:
        define = (
            raw.define_async if isinstance(callback, raw.AsyncCallback) else raw.define_unchecked
        )
        params, results = ([_VALUE_TYPES[kind]() for kind in side] for side in types)
        signature = wasmtime.FuncType(params, results)
        module, name = key[0].encode(), key[1].encode()
        error = define(
            linker,
            module,
            len(module),
            name,
            len(name),
            raw.address_of(signature.ptr()),
            raw.address_of(callback),
            None,
            None,
        )
        if error and "defined twice" not in (message := raw.take_error(error)):
            raise InvalidModule(message)

    # Functions that return at once

    def _unchecked(self, run: Run | None, params: tuple[str, ...], answers: bool) -> Any:
        """A callback around `run(session, memory, *arguments)`; without `run`, it is `take`."""
        seats, size = self._seats, len(params) * raw.VAL_RAW_SIZE
        unpack = struct.Struct("<" + "".join(_RAW_LAYOUT[kind] for kind in params)).unpack

        def enter(_env: int, caller: int, values: int, _count: int) -> int:
            started = perf_counter_ns()
            instance = seats[raw.context_data(raw.caller_context(caller))].taker
            assert instance is not None
            try:
                memory = instance.memory or instance.reach_memory(caller)
                arguments = unpack(raw.copy_out(values, size))
                if run is None:
                    memory.write(arguments[0], instance.answer)
                else:
                    result = run(instance.session, memory, *arguments)
                    if answers:
                        ctypes.c_int32.from_address(values).value = result or 0
            except BaseException as cause:
                return instance.end(cause)
            return instance.spend(perf_counter_ns() - started)

        return raw.UncheckedCallback(enter)

    # Functions that may wait

    def _async(self, begin: Callable[[Instance, Memory, list[int]], None]) -> Any:
        seats, ready = self._seats, self._ready_address

        def enter(
            _env: int,
            caller: int,
            arguments: int,
            count: int,
            results: int,
            _nresults: int,
            trap_out: int,
            continuation: int,
        ) -> None:
            started = perf_counter_ns()
            number = raw.context_data(raw.caller_context(caller))
            # First of all: Wasmtime aborts the process if this is missing on return.
            (ctypes.c_uint64 * 3).from_address(continuation)[:] = [ready, number, 0]
            instance = seats[number].taker
            assert instance is not None
            try:
                memory = instance.memory or instance.reach_memory(caller)
                block = raw.copy_out(arguments, min(count, _ARGUMENTS_MAX) * raw.VAL_SIZE)
                values = [
                    int.from_bytes(block[at : at + 4], "little")
                    for at in range(raw.VAL_ITEM, len(block), raw.VAL_SIZE)
                ]
                instance.ready = False
                instance.result_address = results
                begin(instance, memory, values)
                trap = instance.spend(perf_counter_ns() - started)
            except BaseException as cause:
                trap = instance.end(cause)
            if trap:
                ctypes.c_uint64.from_address(trap_out).value = trap
                instance.ready = True  # the trap is seen when the continuation is done

        return raw.AsyncCallback(enter)

    def _is_ready(self, number: int) -> bool:
        instance = self._seats[number].taker
        return instance is None or instance.ready

    def _begin_call(self, instance: Instance, memory: Memory, values: list[int]) -> None:
        """`edge.call`: the answer's length is the result; `edge.take` fetches the answer."""
        data = memory.read(values[0], values[1])
        if instance.off_loop:
            instance.pending = Request(data)
            return
        answer = self._calls.begin(instance.session, data)
        if isinstance(answer, bytes):
            instance.resolve(answer)
        else:
            instance.pending = answer

    def _begin_poll(self, instance: Instance, memory: Memory, values: list[int]) -> None:
        """WASI's sleep: the events are written now, the guest sees them when time has passed."""
        errno, duration_ns = wasi_poll.poll_oneoff(instance.session, memory, *values)
        instance.set_result(errno)
        if errno or duration_ns <= 0:
            instance.ready = True
        else:
            instance.pending = Sleep(duration_ns)


def _end_slice(_env: int, _caller: int, _values: int, _count: int) -> int:
    """A guest without a fiber wants to wait: to it and to us, its slice is used up."""
    trap: int = raw.trap_new_code(raw.Trap.OUT_OF_FUEL)
    return trap
