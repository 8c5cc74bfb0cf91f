"""A steady stream of requests, each sent when its time has come, answered or not.

A request that finds the server busy waits, and its waiting counts: a closed loop would politely
send nothing while the server stalls, and so would never see the stall.

Neighbours: `loops.py` watches a function with it while others loop.
"""

import asyncio
from contextlib import AsyncExitStack
from time import perf_counter

from bench.client import Connection, request_head

CONNECTIONS = 32


async def pace(url: str, *, every_s: float, seconds: float) -> list[float]:
    """Latencies in ms of one request per `every_s`, each timed from when it was due to go out."""
    address, head = request_head(url)
    samples: list[float] = []
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()

    async def ask() -> None:
        due = perf_counter()
        connection = await free.get()
        answer = await connection.ask(head)
        free.put_nowait(connection)
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}: {answer.body[:200]!r}")
        samples.append((perf_counter() - due) * 1_000)

    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            free.put_nowait(await stack.enter_async_context(Connection(address)))
        began = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(seconds / every_s)):
                await asyncio.sleep(began + number * every_s - perf_counter())
                tasks.create_task(ask())
    return samples
