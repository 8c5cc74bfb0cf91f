"""Two functions that are asked without end, on one worker, and a third that is asked now and then.

One is short and asked over many connections, the other computes for about a millisecond and is
asked over few. What each got is told by the fuel in the ledger, with what starting a guest counts
as. The third is paced as in `loops.py`.
"""

import asyncio

from bench import guests
from bench.line import Line, Spread, spread
from bench.load import saturate
from bench.pace import pace
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server
from edge.config import SandboxSettings

SHORT_CONNECTIONS = 128
LONG_CONNECTIONS = 8
ROUNDS = 1_000_000
FAIR_MIN = 0.8
EVERY_S = 0.02
SECONDS = 4


async def measure() -> list[Line]:
    """How the two shared the worker, and the third's latency alone and beside them."""
    with Server({SERVER_CORE}) as server, pinned(load_cores()):
        short = server.deploy("short", guests.sample("tiny"))
        long = server.deploy("long", guests.counting(ROUNDS))
        third = server.deploy("third", guests.sample("hello"))
        alone = spread(await pace(third, every_s=EVERY_S, seconds=2))
        floods = [
            asyncio.to_thread(saturate, url, load_cores(), seconds=SECONDS, connections=connections)
            for url, connections in ((short, SHORT_CONNECTIONS), (long, LONG_CONNECTIONS))
        ]
        flooding = asyncio.gather(*floods)
        await asyncio.sleep(0.5)
        beside = spread(await pace(third, every_s=EVERY_S, seconds=SECONDS - 1))
        loads = await flooding
        used = {name: _used(server, name) for name in ("short", "long")}
    fairness = min(used.values()) / max(used.values())
    return [
        Line(
            "CPU of a short and a long function under flood, least to most",
            fairness,
            "",
            bound=f"≥ {FAIR_MIN}",
            met=fairness >= FAIR_MIN,
            note=f"{loads[0].requests_per_s:.0f} and {loads[1].requests_per_s:.0f} req/s",
        ),
        _third("  a third, one request per 20 ms, alone", alone),
        _third("  the third, beside the flood", beside),
    ]


def _used(server: Server, function: str) -> int:
    """Fuel of a function so far, with its starts."""
    total = server.usage(function)
    return int(total["fuel"]) + int(total["requests"]) * SandboxSettings().start_fuel


def _third(name: str, seen: Spread) -> Line:
    return Line(name, seen.p50, "ms", seen.p99, note=f"worst {seen.worst:.1f} ms")
