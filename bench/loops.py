"""A function that answers at once, beside guests that never end, on the same worker and core.

It is called once in four milliseconds, as `pace.py` does, while eight guests loop until their
timeout; then as often as it answers, beside as many; then paced again, while one guest fills all of
its memory again and again, which Wasmtime does in one piece. What the eight got of the CPU is told
by the fuel in their answers.
"""

import asyncio

from bench import guests
from bench.client import Answer, Connection, request_head
from bench.line import Line, Spread, spread
from bench.load import Load, saturate
from bench.pace import pace
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server

LOOPS = 8
EVERY_S = 0.004
P99_BOUND_MS = 5
FAIR_MIN = 0.9
SATURATED_MIN = 0.7
TIMEOUT_MS = 5_000
PACED_S = 4.0
_SETTLE_S = 0.3
_TIMED_OUT = 504


async def measure() -> list[Line]:
    """hello alone, beside the loops and how these shared, beside the filler."""
    with Server({SERVER_CORE}) as server, pinned(load_cores()):
        hello = server.deploy("hello", guests.sample("hello"), memoryMb=64)
        loop = server.deploy("loop", guests.looping(), memoryMb=64, timeoutMs=TIMEOUT_MS)
        fill = server.deploy("fill", guests.filling(), memoryMb=128, timeoutMs=TIMEOUT_MS)
        await pace(hello, every_s=EVERY_S, seconds=0.5)
        alone = spread(await pace(hello, every_s=EVERY_S, seconds=PACED_S / 2))
        beside_loops, fuels = await _beside(hello, loop, LOOPS)
        saturated = await _saturate(hello, loop)
        beside_fill = await _beside_again(hello, fill)
    fairness = min(fuels) / max(fuels)
    return [
        _hello("hello, one request per 4 ms, alone", alone, None),
        _hello(f"  beside {LOOPS} endless loops", beside_loops, P99_BOUND_MS),
        Line(
            "  least to most fuel of the loops",
            fairness,
            "",
            bound=f"≥ {FAIR_MIN}",
            met=fairness >= FAIR_MIN,
        ),
        _saturated(*saturated),
        _hello("  beside memory.fill of 119 MB without end", beside_fill, P99_BOUND_MS),
    ]


async def _beside(hello: str, other: str, count: int) -> tuple[Spread, list[int]]:
    """hello's latency while `count` calls of `other` run to their timeout, and their fuel."""
    others = [asyncio.create_task(_call(other)) for _ in range(count)]
    await asyncio.sleep(_SETTLE_S)
    seen = spread(await pace(hello, every_s=EVERY_S, seconds=PACED_S))
    if any(task.done() for task in others):
        raise RuntimeError("a guest that should not have ended has ended: see the server's log")
    answers = await asyncio.gather(*others)
    if any(answer.status != _TIMED_OUT for answer in answers):
        raise RuntimeError(f"not every timeout was told as one: {answers}")
    return seen, [int(answer.headers["x-edge-fuel"]) for answer in answers]


async def _saturate(hello: str, other: str) -> tuple[Load, Load]:
    """hello's load alone, and beside the loops."""
    seconds = TIMEOUT_MS // 1_000 - 2
    alone = await asyncio.to_thread(saturate, hello, load_cores(), seconds=seconds)
    others = [asyncio.create_task(_call(other)) for _ in range(LOOPS)]
    await asyncio.sleep(_SETTLE_S)
    beside = await asyncio.to_thread(saturate, hello, load_cores(), seconds=seconds)
    await asyncio.gather(*others)
    return alone, beside


async def _beside_again(hello: str, other: str) -> Spread:
    """hello's latency while `other` is called again whenever it was ended: a fill burns its CPU
    limit well before its timeout."""

    async def call_on() -> None:
        while True:
            await _call(other)

    task = asyncio.create_task(call_on())
    await asyncio.sleep(_SETTLE_S)
    seen = spread(await pace(hello, every_s=EVERY_S, seconds=PACED_S))
    task.cancel()
    return seen


async def _call(url: str) -> Answer:
    address, head = request_head(url)
    async with Connection(address) as connection:
        return await connection.ask(head)


def _hello(name: str, seen: Spread, bound_ms: float | None) -> Line:
    return Line(
        name,
        seen.p50,
        "ms",
        seen.p99,
        bound="" if bound_ms is None else f"p99 < {bound_ms} ms",
        met=None if bound_ms is None else seen.p99 < bound_ms,
        note=f"worst {seen.worst:.1f} ms",
    )


def _saturated(alone: Load, beside: Load) -> Line:
    ratio = beside.requests_per_s / alone.requests_per_s
    return Line(
        f"hello saturated, beside {LOOPS} endless loops",
        beside.p50_ms,
        "ms",
        beside.p99_ms,
        ratio=ratio,
        against="requests/s alone",
        bound=f"≥ {SATURATED_MIN} ×, p99 ≤ {P99_BOUND_MS} ms",
        met=ratio >= SATURATED_MIN and beside.p99_ms <= P99_BOUND_MS,
        note=f"{beside.requests_per_s:,.0f} of {alone.requests_per_s:,.0f} req/s",
    )
