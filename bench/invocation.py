"""A whole invocation in process: admitted, run in a fresh sandbox, metered, journalled.

Two guests in turns: tiny, which ignores its event, times the host; echo reads an event of 200 bytes
and gives it back.
"""

import asyncio
import gc
from time import perf_counter_ns

from bench.guests import sample
from bench.inside import worker_inside
from bench.line import Line, spread
from edge.invoke.invoker import Invoker
from edge.model.cbor import encode
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.ids import new_request_id
from edge.model.limits import Limits
from edge.model.outcome import Outcome

BOUNDS_US = {"tiny": 20, "echo": 30}
EVENT_BYTES = 200
ROUNDS = 100
CALLS_PER_ROUND = 200
GUESTS = tuple(BOUNDS_US)


def payload() -> dict[str, object]:
    """An event of exactly `EVENT_BYTES` in CBOR: a few fields, as an order or a click has."""
    event: dict[str, object] = {
        "id": "5f0c1a52-1b7e-4d0e-9d6b-7a3f3f7b9e11",
        "kind": "order.created",
        "amount": 1995,
        "currency": "EUR",
        "paid": True,
        "items": [{"sku": "A-100", "count": 2}, {"sku": "B-250", "count": 1}],
        "note": "",
    }
    event["note"] = "x" * (EVENT_BYTES - len(encode(event)) - 1)
    assert len(encode(event)) == EVENT_BYTES
    return event


async def time_calls(invoker: Invoker, function: str, count: int) -> list[float]:
    """Microseconds of each of `count` invocations, one after the other."""
    samples = []
    event_payload = payload()
    for _ in range(count):
        event = Event(function, event_payload, new_request_id(), bytes_in=EVENT_BYTES)
        began = perf_counter_ns()
        result = await invoker.invoke(event)
        samples.append((perf_counter_ns() - began) / 1_000)
        if result.outcome is not Outcome.OK:
            raise RuntimeError(f"{function}: {result.failure}")
    await asyncio.sleep(0)  # what the loop has to do is not the invocation's
    return samples


async def measure() -> list[Line]:
    """One line for each guest."""
    samples: dict[str, list[float]] = {name: [] for name in GUESTS}
    settings = Settings(limits=Limits(memory_mb=64))
    async with worker_inside() as worker:
        for name in GUESTS:
            await worker.deployer.deploy(name, sample(name), settings)
            await time_calls(worker.invoker, name, CALLS_PER_ROUND)
        gc.collect()
        for _ in range(ROUNDS):
            for name in GUESTS:
                samples[name] += await time_calls(worker.invoker, name, CALLS_PER_ROUND)
    return [_line(name, samples[name]) for name in GUESTS]


def _line(name: str, samples: list[float]) -> Line:
    seen = spread(samples)
    work = "answers at once" if name == "tiny" else f"{EVENT_BYTES} bytes and back"
    return Line(
        f"invocation in process, {name}: {work}",
        seen.p50,
        "µs",
        seen.p99,
        bound=f"p50 ≤ {BOUNDS_US[name]} µs",
        met=seen.p50 <= BOUNDS_US[name],
    )
