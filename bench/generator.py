"""A load generator for machines without wrk: `bench.generator URL CONNECTIONS SECONDS [POST]`.

POST is JSON, `[body, {field: value}]`. It is Python, so it may be the slower side; then figures are
a lower bound. Its report is JSON.
Neighbours: `load.py` starts it; `client.py` has the connection.
"""

import asyncio
import json
import sys
from time import perf_counter

from bench.client import Connection, request_head
from bench.line import spread

SAMPLES_MAX = 2_000_000


async def generate(
    url: str, connections: int, seconds: float, post: tuple[str, dict[str, str]] | None
) -> dict[str, float]:
    """Ask again and again; requests per second and latency in ms."""
    address, request = request_head(url)
    if post is not None:
        body, fields = post
        address, head = request_head(url, "POST", **{**fields, "content-length": len(body)})
        request = head + body.encode()
    samples: list[float] = []
    began = perf_counter()
    until = began + seconds

    async def ask() -> None:
        async with Connection(address) as connection:
            while (sent := perf_counter()) < until and len(samples) < SAMPLES_MAX:
                answer = await connection.ask(request)
                if not 200 <= answer.status < 300:
                    raise RuntimeError(f"{url} answered {answer.status}")
                samples.append((perf_counter() - sent) * 1_000)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(ask())
    seen = spread(samples)
    rate = len(samples) / (perf_counter() - began)
    return {"requests_per_s": rate, "p50_ms": seen.p50, "p99_ms": seen.p99}


if __name__ == "__main__":
    posted = json.loads(sys.argv[4]) if len(sys.argv) > 4 else None
    report = asyncio.run(generate(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), posted))
    print(json.dumps(report))
