"""The engine an initialiser runs on, and getting a module through it.

Neighbours: `take_snapshot` validates with it before and after, `run` compiles for it.
Invariant: it computes what the serving engine computes (same NaNs, same fuel); it differs in
reserving no more address space than the limit, so that it fits a process bounded in memory.
"""

import wasmtime

from edge.model.errors import InvalidModule, SnapshotRefused
from edge.sandbox.snapshot.settings import SnapshotSettings

_GUARD_BYTES = 65_536


def build_engine(settings: SnapshotSettings) -> wasmtime.Engine:
    """An engine for one short run: quick to compile, nothing reserved for speed."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_opt_level = "none"
    config.cranelift_nan_canonicalization = True
    config.wasm_relaxed_simd_deterministic = True
    config.memory_reservation = settings.memory_bytes_max
    config.memory_guard_size = _GUARD_BYTES
    return wasmtime.Engine(config)


def validate(engine: wasmtime.Engine, module: bytes) -> None:
    """Raise InvalidModule unless the bytes are a core module that Wasmtime accepts."""
    try:
        wasmtime.Module.validate(engine, module)
    except wasmtime.WasmtimeError as error:
        raise InvalidModule(f"the module is not valid WebAssembly: {first_line(error)}") from None


def compile_instrumented(engine: wasmtime.Engine, module: bytes) -> wasmtime.Module:
    """Compile; raises SnapshotRefused, as what was added may be what goes over a limit."""
    try:
        return wasmtime.Module(engine, module)
    except wasmtime.WasmtimeError as error:
        raise SnapshotRefused(
            f"it does not compile with its state exported: {first_line(error)}"
        ) from None


def first_line(error: Exception) -> str:
    """Wasmtime's own words, without the backtrace."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no reason given"
