"""Two hundred guests that sleep one second each, at once, on one worker: waiting holds nothing."""

import asyncio
from time import perf_counter

from bench import guests, process
from bench.client import Connection, request_head
from bench.line import Line, spread
from bench.server import Server

GUESTS = 200
BOUND_S = 1.5
_CONNECT_AT_ONCE = 50


async def measure() -> list[Line]:
    """One line for the time, one for the threads."""
    with Server({process.SERVER_CORE}) as server:
        url = server.deploy("sleeper", guests.sleeping(), memoryMb=64)
        await _sleep_together(url, 8)  # threads that upkeep needs anyway are there after this
        threads_before = process.threads(server.pid)
        watch = asyncio.create_task(_most_threads(server.pid))
        began = perf_counter()
        seconds = await _sleep_together(url, GUESTS)
        whole_s = perf_counter() - began
        watch.cancel()
        threads_during = max(await watch, process.threads(server.pid))
    seen = spread(seconds)
    return [
        Line(
            f"{GUESTS} guests sleep 1 s, one worker",
            seen.p50,
            "s",
            seen.p99,
            bound=f"all ≤ {BOUND_S} s",
            met=whole_s <= BOUND_S,
            note=f"all in {whole_s:.2f} s, connecting included",
        ),
        Line(
            "  threads meanwhile",
            threads_during,
            "threads",
            bound=f"≤ {threads_before} as before",
            met=threads_during <= threads_before,
        ),
    ]


async def _sleep_together(url: str, count: int) -> list[float]:
    """Seconds each of `count` requests took, all sent at once."""
    address, head = request_head(url)
    connecting = asyncio.Semaphore(_CONNECT_AT_ONCE)

    async def ask() -> float:
        began = perf_counter()
        async with connecting:
            connection = await Connection(address).__aenter__()
        answer = await connection.ask(head)
        await connection.__aexit__(None, None, None)
        if answer.status != 200:
            raise RuntimeError(f"a sleeper was answered {answer.status}: {answer.body!r}")
        return perf_counter() - began

    return await asyncio.gather(*(ask() for _ in range(count)))


async def _most_threads(pid: int) -> int:
    """The most threads a process has until this is cancelled."""
    most = 0
    try:
        while True:
            most = max(most, process.threads(pid))
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return most
