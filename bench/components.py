"""A fresh request to a component, in process: started for it, and found waiting.

Each language's least handler answers one event after the other: with the pool off, and in bursts
of as many as the pool had ready. Beside Python stands the start of a bare `python -c`.

Neighbours: `toolchains.py` builds the components.
"""

import asyncio
import gc
import subprocess
import sys
from time import perf_counter_ns
from typing import NamedTuple

from bench import toolchains
from bench.inside import worker_inside
from bench.line import Line, absent, spread
from bench.toolchains import PYTHON, QUICKJS, STARLING_MONKEY, Toolchain
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Settings
from edge.model.ids import new_request_id
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.worker import Worker
from tests.components import HELLO

FUNCTION = "component"
CALLS = 400
BURST = 16
BURSTS = 25
STARTS = 20
PATIENCE_S = 30
SETTINGS = Settings(limits=Limits(memory_mb=128, timeout_ms=10_000))
_REQUEST = {
    "rawPath": "/",
    "rawQueryString": "name=Ada",
    "headers": {"host": "localhost"},
    "requestContext": {"http": {"method": "GET"}},
}


class Language(NamedTuple):
    """What is measured, and what was asked for in ms: without the pool, and with it."""

    name: str
    toolchain: Toolchain | None
    fresh_ms: float | None
    ready_ms: float | None


LANGUAGES = (
    Language("by hand, 1 KB", None, None, None),
    Language("JavaScript (QuickJS)", QUICKJS, 0.6, 0.35),
    Language("fetch event (StarlingMonkey)", STARLING_MONKEY, 1.5, None),
    Language("Python", PYTHON, 2.5, 1.2),
)


async def measure() -> list[Line]:
    """Two lines for each language, and one for a process of Python's own."""
    lines = []
    for language in LANGUAGES:
        title = f"fresh request, {language.name}"
        why = toolchains.missing(language.toolchain) if language.toolchain else ""
        if why:
            lines.append(absent(title, why))
            continue
        module = toolchains.build(language.toolchain) if language.toolchain else HELLO
        fresh, ready = await _fresh(module), await _ready(module)
        lines.append(_line(title, fresh, language.fresh_ms))
        lines.append(_line("  found waiting", ready, language.ready_ms))
    lines.append(_line("  beside `python -c ''`", _python_starts(), None))
    return lines


async def _fresh(module: bytes) -> list[float]:
    """Milliseconds of invocations whose guest is started for them."""
    async with worker_inside(ready_max=0) as worker:
        await worker.deployer.deploy(FUNCTION, module, SETTINGS)
        await _time(worker, CALLS // 4)
        gc.collect()
        return await _time(worker, CALLS)


async def _ready(module: bytes) -> list[float]:
    """Milliseconds of invocations whose guest waited."""
    samples = []
    async with worker_inside(ready_max=BURST, ready_per_function_max=BURST) as worker:
        await worker.deployer.deploy(FUNCTION, module, SETTINGS)
        await _time(worker, BURST)
        gc.collect()
        for _ in range(BURSTS):
            async with asyncio.timeout(PATIENCE_S):
                while worker.sandbox.readiness(FUNCTION).ready < BURST:
                    await asyncio.sleep(0.002)
            samples += await _time(worker, BURST)
        readiness = worker.sandbox.readiness(FUNCTION)
        if readiness.hits < BURST * BURSTS:
            raise RuntimeError(f"the pool was missed: {readiness}")
    return samples


async def _time(worker: Worker, count: int) -> list[float]:
    """Milliseconds of each of `count` invocations, one after the other."""
    http = worker.registry.get(FUNCTION).artifact.kind is GuestKind.WASI_HTTP
    payload, source = (_REQUEST, Source.HTTP) if http else ({"name": "Ada"}, Source.INVOKE)
    samples = []
    for _ in range(count):
        event = Event(FUNCTION, payload, new_request_id(), source)
        began = perf_counter_ns()
        result = await worker.invoker.invoke(event)
        samples.append((perf_counter_ns() - began) / 1e6)
        if result.outcome is not Outcome.OK:
            raise RuntimeError(f"{result.outcome}: {result.failure}")
    return samples


def _python_starts() -> list[float]:
    """Milliseconds of processes that start Python and do nothing."""
    samples = []
    for _ in range(STARTS):
        began = perf_counter_ns()
        subprocess.run([sys.executable, "-c", ""], check=True)
        samples.append((perf_counter_ns() - began) / 1e6)
    return samples


def _line(name: str, samples: list[float], bound_ms: float | None) -> Line:
    seen = spread(samples)
    if bound_ms is None:
        return Line(name, seen.p50, "ms", seen.p99)
    met = seen.p50 <= bound_ms
    return Line(name, seen.p50, "ms", seen.p99, bound=f"p50 ≤ {bound_ms} ms", met=met)
