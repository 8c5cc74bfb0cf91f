"""Run a module's initialiser once, within its bounds: instantiate, `_initialize`, `edge_init`,
and the events it is primed with.

Neighbours: `instrument` made the module, `imports` what it can call; `capture` reads what it
leaves. Invariant: it returns only when every initialiser returned by itself, within fuel and
memory; anything else is `InitFailed`, in words the function's author can act on.

It runs in the calling process, which the deploy side bounds in time and memory from outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import wasmtime

from edge.model.errors import InitFailed, InvalidModule
from edge.model.limits import MIB
from edge.sandbox.snapshot.compile import compile_instrumented, first_line
from edge.sandbox.snapshot.host import InitHost
from edge.sandbox.snapshot.imports import link
from edge.sandbox.snapshot.instrument import Instrumented
from edge.sandbox.snapshot.prime import prime
from edge.sandbox.snapshot.sections import INITIALISERS
from edge.sandbox.snapshot.settings import SnapshotSettings

_FRAMES_NAMED_MAX = 8
_TRAP_PREFIX = "wasm trap: "

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Initialised:
    """An instance at rest after its initialiser, and what that took."""

    store: wasmtime.Store
    exports: Mapping[str, object]
    host: InitHost
    fuel: int


def run(
    engine: wasmtime.Engine, instrumented: Instrumented, settings: SnapshotSettings
) -> Initialised:
    """The instance after its initialiser; raises InitFailed, InvalidModule, SnapshotRefused."""
    module = compile_instrumented(engine, instrumented.module)
    store = wasmtime.Store(engine)
    store.set_limits(
        memory_size=settings.memory_bytes_max,
        table_elements=max(settings.table_elements_max, len(instrumented.roster)),
    )
    store.set_fuel(settings.fuel_max)
    host = InitHost(store, settings)
    imports = link(store, module, host)
    attempt = _Attempt(store, host)
    instance = attempt.make("instantiation", lambda: wasmtime.Instance(store, module, imports))
    exports = instance.exports(store)
    attempt.memories = _memories(exports, instrumented)
    for name in INITIALISERS:
        function = exports.get(name)
        if function is not None:
            attempt.make(name, _without_arguments(store, name, function))
    prime(store, exports, host, attempt.make, settings.primes)
    _check_memory(attempt.memory_bytes, settings)
    return Initialised(store, exports, host, settings.fuel_max - store.get_fuel())


def _memories(
    exports: Mapping[str, object], instrumented: Instrumented
) -> tuple[wasmtime.Memory, ...]:
    found = [exports[name] for name in instrumented.names.memories.values()]
    return tuple(memory for memory in found if isinstance(memory, wasmtime.Memory))


def _without_arguments(store: wasmtime.Store, name: str, function: object) -> Callable[[], object]:
    if isinstance(function, wasmtime.Func):
        type_ = function.type(store)
        if not type_.params and not type_.results:
            return lambda: function(store)
    raise InvalidModule(f"export `{name}` must be a function without parameters and results")


def _check_memory(used: int, settings: SnapshotSettings) -> None:
    """Wasmtime limits each memory by itself; the limit is for all of them."""
    if used > settings.memory_bytes_max:
        raise InitFailed(
            f"the initialiser grew its memories to {used // MIB} MiB in all, over the limit of"
            f" {settings.memory_bytes_max // MIB} MiB"
        )


class _Attempt:
    """Calls into the guest, with whatever ends them turned into `InitFailed`."""

    def __init__(self, store: wasmtime.Store, host: InitHost) -> None:
        self.memories: tuple[wasmtime.Memory, ...] = ()
        self._store = store
        self._host = host

    @property
    def memory_bytes(self) -> int:
        """What the guest's memories hold now, known once it is instantiated."""
        return sum(memory.data_len(self._store) for memory in self.memories)

    def make(self, phase: str, call: Callable[[], T]) -> T:
        """The call's result, if nothing ended it."""
        try:
            result = call()
        except wasmtime.Trap as trap:
            raise InitFailed(f"{phase} {self._host.verdict or self._reason(trap)}") from None
        except wasmtime.WasmtimeError as error:
            reason = self._host.verdict or f"failed: {first_line(error)}"
            raise InitFailed(f"{phase} {reason}") from None
        if self._host.verdict is not None:
            raise InitFailed(f"{phase} {self._host.verdict}")
        return result

    def _reason(self, trap: wasmtime.Trap) -> str:
        if trap.trap_code is wasmtime.TrapCode.OUT_OF_FUEL:
            return (
                f"used up its {self._host.settings.fuel_max} fuel; it may loop forever: do less"
                " work at initialisation, or deploy without a snapshot"
            )
        lines = trap.message.strip().splitlines() or ["no reason given"]
        names = [frame.func_name or f"function {frame.func_index}" for frame in trap.frames]
        where = f" in {' < '.join(names[:_FRAMES_NAMED_MAX])}" if names else ""
        limit = self._host.settings.memory_bytes_max
        return (
            f"trapped: {lines[-1].strip().removeprefix(_TRAP_PREFIX)}{where}"
            f" (memory {self.memory_bytes // MIB} of {limit // MIB} MiB)"
        )
