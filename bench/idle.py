"""A thousand functions on one host: how long it takes to start, and what an idle one costs.

They are the same module with a number in it, so each has an image and a compiled file of its own.
Memory is the worker's proportional share, after every function was called once and let go again,
against the same host before any was called.
"""

import asyncio
import tempfile
from pathlib import Path

import httpx

from bench import process
from bench.guests import distinct, sample
from bench.line import Line
from bench.process import all_cores
from bench.server import Server

FUNCTIONS = 1_000
START_S_MAX = 3
IDLE_KIB_MAX = 60
IDLE_S = 2
AT_ONCE = 4
SETTINGS = {"idle_unload_s": IDLE_S, "builds_max": AT_ONCE}


async def measure() -> list[Line]:
    """Start with a thousand functions; memory of each that is idle."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as directory:
        data = Path(directory)
        with Server(all_cores(), settings=SETTINGS, data=data) as server:
            await _deploy_all(server)
        with Server(all_cores(), settings=SETTINGS, data=data) as server:
            start_s = server.start_s
            await _call(server, range(2))
            before = process.pss_bytes(server.pid)
            await _call(server, range(FUNCTIONS))
            loaded = process.pss_bytes(server.pid)
            await asyncio.sleep(3 * IDLE_S)
            idle = process.pss_bytes(server.pid)
    each_kib = (idle - before) / FUNCTIONS / 1024
    loaded_kib = (loaded - before) / FUNCTIONS / 1024
    return [
        Line(
            f"start with {FUNCTIONS:,} functions",
            start_s,
            "s",
            bound=f"≤ {START_S_MAX} s",
            met=start_s <= START_S_MAX,
        ),
        Line(
            "  memory of an idle function",
            each_kib,
            "KiB",
            bound=f"≤ {IDLE_KIB_MAX} KiB",
            met=each_kib <= IDLE_KIB_MAX,
            note=f"{loaded_kib:.0f} KiB just after its call; the host alone {before >> 20} MiB",
        ),
    ]


async def _deploy_all(server: Server) -> None:
    """Through the control plane, some at once."""
    module = sample("tiny")
    numbers = iter(range(FUNCTIONS))

    async def deploy_some() -> None:
        for number in numbers:
            named = distinct(module, number)
            await asyncio.to_thread(server.deploy, f"f{number}", named, memoryMb=16)

    await asyncio.gather(*(deploy_some() for _ in range(AT_ONCE)))


async def _call(server: Server, numbers: range) -> None:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
        for number in numbers:
            (await client.get(f"/f{number}")).raise_for_status()
