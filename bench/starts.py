"""Milliseconds of requests to one guest: started for each, and found waiting.

Neighbours: `components.py` and `languages.py` say which guests.
"""

import asyncio
import gc
from time import perf_counter_ns

from bench.inside import worker_inside
from edge.model.event import Event, Source
from edge.model.function import GuestKind, Settings
from edge.model.ids import new_request_id
from edge.model.limits import Limits
from edge.model.outcome import Outcome
from edge.worker import Worker

FUNCTION = "guest"
CALLS = 400
BURST = 16
BURSTS = 25
PATIENCE_S = 30
SETTINGS = Settings(limits=Limits(memory_mb=128, timeout_ms=10_000))
ROOMY = {
    "ready_max": BURST,
    "ready_per_function_max": BURST,
    "ready_memory_mb": 4_096,
    "ready_memory_per_function_mb": 4_096,
}
EVENT = {
    "version": "2.0",
    "rawPath": "/Ada",
    "rawQueryString": "",
    "headers": {"host": "localhost"},
    "requestContext": {"http": {"method": "GET", "path": "/Ada"}},
    "isBase64Encoded": False,
}


async def fresh(module: bytes, event: object = EVENT) -> list[float]:
    """Of invocations whose guest is started for them."""
    async with worker_inside(ready_max=0) as worker:
        await worker.deployer.deploy(FUNCTION, module, SETTINGS)
        await _time(worker, CALLS // 4, event)
        gc.collect()
        return await _time(worker, CALLS, event)


async def waiting(module: bytes) -> list[float]:
    """Of invocations whose guest waited, in bursts of as many as the pool had ready."""
    samples = []
    async with worker_inside(**ROOMY) as worker:
        await worker.deployer.deploy(FUNCTION, module, SETTINGS)
        while worker.sandbox.readiness(FUNCTION).misses < BURST:  # what tells the pool its size
            await _time(worker, BURST)
        gc.collect()
        hits = worker.sandbox.readiness(FUNCTION).hits
        for _ in range(BURSTS):
            async with asyncio.timeout(PATIENCE_S):
                while worker.sandbox.readiness(FUNCTION).ready < BURST:
                    await asyncio.sleep(0.002)
            samples += await _time(worker, BURST)
        readiness = worker.sandbox.readiness(FUNCTION)
        if readiness.hits - hits < BURST * BURSTS:
            raise RuntimeError(f"the pool was missed: {readiness}")
    return samples


async def _time(worker: Worker, count: int, asked: object = EVENT) -> list[float]:
    http = worker.registry.get(FUNCTION).artifact.kind is GuestKind.WASI_HTTP
    source = Source.HTTP if http else Source.INVOKE
    samples = []
    for _ in range(count):
        event = Event(FUNCTION, asked, new_request_id(), source)
        await asyncio.sleep(0)  # as a server does: guests that answered are closed
        began = perf_counter_ns()
        result = await worker.invoker.invoke(event)
        samples.append((perf_counter_ns() - began) / 1e6)
        if result.outcome is not Outcome.OK:
            raise RuntimeError(f"{result.outcome}: {result.failure}")
    return samples
