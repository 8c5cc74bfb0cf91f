"""The one Wasmtime engine of a process, sized to the machine it finds itself on.

Neighbours: `modules.py` and `build.py` compile and load with it.
Invariant: two engines with the same `identity` can read each other's compiled files.
"""

import contextlib
import hashlib
import importlib.metadata
import mmap
import os
import platform
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import wasmtime

from edge.model.errors import Unsupported
from edge.model.limits import KIB, MIB
from edge.sandbox import raw
from edge.sandbox.component import raw as component
from edge.sandbox.memories import FORMAT, KEPT, Kept, Memories

WASMTIME_MAJOR = 50
GIB = 1024 * MIB
SLOTS_SLACK = 64
"""Slots beyond the concurrency limit, for instances being torn down in the background."""
INSTANCE_BYTES_MAX = 4 * MIB
TABLE_ELEMENTS_MAX = 100_000
TABLES_PER_MODULE_MAX = 8
MEMORIES_PER_MODULE_MAX = 1
CORE_INSTANCES_PER_COMPONENT_MAX = 32
MEMORIES_PER_COMPONENT_MAX = 2
"""A JavaScript component has its program's, and a small one of its adapter's."""
STACK_BYTES = 1 * MIB
WASM_STACK_BYTES = 512 * KIB
RESIDENT_BYTES = 256 * KIB
"""Kept per slot between guests: clearing it beats faulting it in again (10.6 µs, not 14)."""
TABLE_RESIDENT_BYTES = 64 * KIB
"""The same for tables, which compilers of large runtimes fill with thousands of functions."""
DECOMMIT_BATCH = 8


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """How many guests can live at once, and how much address space each reserves.

    Where `memories_per_slot` is 1, only half as many components with two memories can.
    """

    slots: int
    reservation_bytes: int
    guard_bytes: int
    memory_bytes_max: int
    memories_per_slot: int = MEMORIES_PER_COMPONENT_MAX

    @property
    def address_bytes(self) -> int:
        """What the pool will ask of the address space, roughly."""
        memories = self.slots * self.memories_per_slot
        memories *= self.reservation_bytes + self.guard_bytes
        tables = self.slots * TABLES_PER_MODULE_MAX * TABLE_ELEMENTS_MAX * 8
        return memories + tables + self.slots * STACK_BYTES


def plan_pool(slots: int, memory_bytes_max: int) -> PoolPlan:
    """The largest pool this machine's address space can map.

    With 4 GiB reserved for each memory Wasmtime leaves out bounds checks. Where that does not fit
    (small ARM boards have 39 bits), less is reserved and checks are compiled in; failing that,
    fewer slots. Raises Unsupported when not even eight guests fit.
    """
    while slots >= 8:
        for reservation, guard in ((4 * GIB, 32 * MIB), (memory_bytes_max, 64 * KIB)):
            for memories in (MEMORIES_PER_COMPONENT_MAX, MEMORIES_PER_MODULE_MAX):
                plan = PoolPlan(slots, reservation, guard, memory_bytes_max, memories)
                if _fits(plan.address_bytes):
                    return plan
        slots //= 2
    raise Unsupported(
        f"this machine cannot reserve address space for 8 guests of {memory_bytes_max // MIB} MB;"
        " lower the memory limit or raise `ulimit -v`"
    )


def _fits(address_bytes: int) -> bool:
    """Try the reservation the pool will make, with no access and no memory behind it."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        mmap.mmap(-1, address_bytes, flags=flags, prot=0).close()
    except (OSError, OverflowError):
        return False
    return True


def plan_for_machine(concurrency_max: int, memory_mb_max: int) -> PoolPlan:
    """The pool for this machine: no guest larger than its memory, and at most one guest for each
    4 MiB of it. Raises Unsupported."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    slots = min(concurrency_max, max(32, memory_bytes // (4 * MIB))) + SLOTS_SLACK
    whole_pages = memory_bytes // (64 * KIB) * (64 * KIB)
    return plan_pool(slots, min(memory_mb_max * MIB, whole_pages))


def _check_wasmtime() -> str:
    version = importlib.metadata.version("wasmtime")
    if int(version.split(".")[0]) != WASMTIME_MAJOR or not _layouts_match():
        raise Unsupported(
            f"edge needs wasmtime {WASMTIME_MAJOR}.x and found {version}:"
            f" pip install 'wasmtime>={WASMTIME_MAJOR}.0.1,<{WASMTIME_MAJOR + 1}'"
        )
    return version


def _layouts_match() -> bool:
    return raw.layout_matches() and component.layout_matches()


class Engine:
    """A Wasmtime engine with fuel and async calls, over memories of our own or a pool's."""

    def __init__(self, plan: PoolPlan, kept: Kept = KEPT) -> None:
        self.plan = plan
        self.version = _check_wasmtime()
        slots = plan.slots * plan.memories_per_slot
        self.memories = Memories.open(slots, plan.reservation_bytes, plan.guard_bytes, kept)
        self.wasmtime = self._pooling() if self.memories is None else self._over(self.memories)
        self.pointer = raw.address_of(self.wasmtime.ptr())

    @cached_property
    def compiler(self) -> wasmtime.Engine:
        """Compiles for it, and refuses what has more instances, tables or memories than one guest
        may: only a pool asks for that when it compiles."""
        return self.wasmtime if self.memories is None else self._pooling()

    def _over(self, memories: Memories) -> wasmtime.Engine:
        config = self._config()
        memories.give_to(raw.address_of(config.ptr()))
        return self._made(config)

    def _pooling(self) -> wasmtime.Engine:
        config = self._config()
        self._pool(config)
        return self._made(config)

    @staticmethod
    def _made(config: wasmtime.Config) -> wasmtime.Engine:
        try:
            return wasmtime.Engine(config)
        except wasmtime.WasmtimeError as error:
            raise Unsupported(f"wasmtime cannot start on this machine: {error}") from None

    def _config(self) -> wasmtime.Config:
        config = wasmtime.Config()
        for name, value in self._settings().items():
            getattr(wasmtime._ffi, f"wasmtime_config_{name}_set")(config.ptr(), value)
        return config

    def _settings(self) -> dict[str, int | bool]:
        """What the compiled code depends on, by the C API's names."""
        return {
            "consume_fuel": True,
            # Memories of our own are copies already, and what is not Wasmtime's it cannot make one.
            "memory_init_cow": self.memories is None,
            "memory_reservation": self.plan.reservation_bytes,
            "memory_guard_size": self.plan.guard_bytes,
            "memory_may_move": False,
            "async_stack_size": STACK_BYTES,
            "max_wasm_stack": WASM_STACK_BYTES,
            # Same input, same result on any host.
            "cranelift_nan_canonicalization": True,
            "wasm_relaxed_simd_deterministic": True,
            # What no guest of ours needs is not there to be attacked.
            "wasm_threads": False,
            "wasm_memory64": False,
            "wasm_gc": False,
            "wasm_exceptions": False,
            "wasm_stack_switching": False,
            "wasm_component_model_async": False,
            # With it, a host function of a component traps that is handed two handles at once.
            "concurrency_support": False,
            "native_unwind_info": False,
        }

    def _pool(self, config: wasmtime.Config) -> None:
        plan, ffi = self.plan, wasmtime._ffi
        pool = ffi.wasmtime_pooling_allocation_config_new()
        for name, value in {
            "total_memories": max(plan.slots * plan.memories_per_slot, MEMORIES_PER_COMPONENT_MAX),
            "total_tables": plan.slots * TABLES_PER_MODULE_MAX,
            "total_stacks": plan.slots,
            "total_core_instances": plan.slots * CORE_INSTANCES_PER_COMPONENT_MAX,
            "total_component_instances": plan.slots,
            "max_core_instance_size": INSTANCE_BYTES_MAX,
            "max_component_instance_size": INSTANCE_BYTES_MAX,
            "max_core_instances_per_component": CORE_INSTANCES_PER_COMPONENT_MAX,
            "max_memories_per_component": MEMORIES_PER_COMPONENT_MAX,
            "max_tables_per_component": TABLES_PER_MODULE_MAX,
            "max_tables_per_module": TABLES_PER_MODULE_MAX,
            "max_memories_per_module": MEMORIES_PER_MODULE_MAX,
            "table_elements": TABLE_ELEMENTS_MAX,
            "max_memory_size": plan.memory_bytes_max,
            "linear_memory_keep_resident": RESIDENT_BYTES,
            "table_keep_resident": TABLE_RESIDENT_BYTES,
            "decommit_batch_size": DECOMMIT_BATCH,
        }.items():
            getattr(ffi, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
        ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
        ffi.wasmtime_pooling_allocation_config_delete(pool)

    @cached_property
    def identity(self) -> str:
        """Digest of all that a compiled file depends on: wasmtime, settings and CPU."""
        text = f"{self.version} {sorted(self._settings().items())} {FORMAT} {_processor()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _processor() -> str:
    features = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                features = line
                break
    return f"{platform.system()} {platform.machine()} {features}"
