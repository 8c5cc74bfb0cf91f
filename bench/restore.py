"""A fresh instance of a function with 8 MB of heap: from its snapshot, bare, and from its start.

`primes` builds a table of 8 MB in its initialiser. Its restore is what the sandbox does before the
event: seat, store, limits, fuel, instance. Beside it, in turns, stands the least Wasmtime asks for,
a store and an instance through the raw API, and now and then the start that the snapshot saves.
"""

import ctypes
import tempfile
from pathlib import Path
from time import perf_counter_ns

from wasmtime import _ffi

from bench.guests import sample
from bench.line import Line, Spread, spread
from edge.config import HostSettings
from edge.host.calls import HostCalls
from edge.host.grants import parse_grants
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.model.function import Settings
from edge.model.limits import MIB, Limits
from edge.sandbox import raw
from edge.sandbox.builder import Builder
from edge.sandbox.engine import Engine, plan_pool
from edge.sandbox.first_slice import FirstSlice
from edge.sandbox.imports import Imports
from edge.sandbox.instance import Allowance, Instance
from edge.sandbox.modules import LoadedModule, Modules
from edge.sandbox.seats import Seats

BOUND_US = 12
RATIO_MAX = 2
FASTER_MIN = 300
ROUNDS = 40
RESTORES_PER_ROUND = 100
STARTS_PER_ROUND = 2
SLOTS = 32
MEMORY_MB = 64
FUEL = 50_000_000_000

_instantiate = _ffi.dll["wasmtime_instance_pre_instantiate"]
_instantiate.argtypes = (ctypes.c_void_p,) * 4
_instantiate.restype = ctypes.c_void_p


class Starts:
    """Times fresh instances of one module, which is deleted outside the time."""

    def __init__(self, module: LoadedModule, seats: Seats) -> None:
        self._module = module
        self._seats = seats
        self._allowance = Allowance(FUEL, MEMORY_MB * MIB, FUEL, 1_000_000_000, 6 * MIB)
        self._session = Session("bench", "primes", parse_grants(()), (), LogBuffer(0), 1 << 62)

    def restore_us(self) -> float:
        """Start as an invocation does, up to where the event would be handed in."""
        seat = self._seats.take()
        assert seat is not None
        began = perf_counter_ns()
        instance = Instance(self._module, seat, self._session, self._allowance)
        if self._module.first_slice is not None:
            self._module.first_slice.restore(instance)
        else:
            for _ in instance.start():
                pass
            for name in self._module.work:
                for _ in instance.call(name, 0, 0, 0, 0):
                    pass
        instance.restored()
        took_ns = instance.restored_ns - began
        instance.close()
        self._seats.give_back(seat)
        return took_ns / 1_000

    def bare_us(self) -> float:
        """A store with fuel, and an instance in it: nothing is kept, limited or looked up."""
        result = ctypes.create_string_buffer(64)
        address = ctypes.addressof(result)
        began = perf_counter_ns()
        self._module.images.use()
        store = raw.store_new(self._module.engine, 0, None)
        context = raw.store_context(store)
        raw.set_fuel(context, FUEL)
        error = _instantiate(self._module.pre, context, address, address + 32)
        took_ns = perf_counter_ns() - began
        assert not error
        raw.store_delete(store)
        return took_ns / 1_000


async def measure() -> list[Line]:
    """Three lines: restored, bare, from its start."""
    restored, bare, plain = [], [], []
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        snapshot, unsnapshotted = await _prepare(Path(directory))
        for _ in range(ROUNDS):
            for _ in range(RESTORES_PER_ROUND):
                restored.append(snapshot.restore_us())
                bare.append(snapshot.bare_us())
            for _ in range(STARTS_PER_ROUND):
                plain.append(unsnapshotted.restore_us())
    return _lines(spread(restored), spread(bare), spread(plain))


async def _prepare(directory: Path) -> tuple[Starts, Starts]:
    """The guest deployed with a snapshot, and the same without."""
    plan = plan_pool(SLOTS, MEMORY_MB * MIB)
    engine, seats = Engine(plan), Seats(SLOTS)
    compiled = directory / "compiled"
    builder = Builder(plan, compiled, directory / "tmp", HostSettings(), FUEL)
    first_slice = FirstSlice.load(engine.pointer, MEMORY_MB * MIB, MEMORY_MB * MIB)
    imports = Imports(engine, seats, HostCalls({}))
    modules = Modules(engine, imports, compiled, SLOTS, first_slice)
    starts = []
    for snapshot in (True, False):
        settings = Settings(limits=Limits(memory_mb=MEMORY_MB), snapshot=snapshot)
        built = await builder.build(sample("primes"), settings)
        starts.append(Starts(modules.get(built.report.image), seats))
    return starts[0], starts[1]


def _lines(restored: Spread, bare: Spread, plain: Spread) -> list[Line]:
    return [
        Line(
            "restore, 8 MB of heap, from its snapshot",
            restored.p50,
            "µs",
            restored.p99,
            bound=f"p50 ≤ {BOUND_US} µs",
            met=restored.p50 <= BOUND_US,
        ),
        Line(
            "  beside a bare store and instance",
            bare.p50,
            "µs",
            bare.p99,
            ratio=restored.p50 / bare.p50,
            against="bare",
            bound=f"restore ≤ {RATIO_MAX} × bare",
            met=restored.p50 <= RATIO_MAX * bare.p50,
        ),
        Line(
            "  beside its plain start",
            plain.p50,
            "µs",
            plain.p99,
            ratio=plain.p50 / restored.p50,
            against="restore",
            bound=f"start ≥ {FASTER_MIN} × restore",
            met=plain.p50 >= FASTER_MIN * restored.p50,
        ),
    ]
