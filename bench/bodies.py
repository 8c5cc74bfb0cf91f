"""Bodies of 6 MiB through a C function that only copies: in and out, on one core.

What counts is the body's bytes over the time of the whole request, in which it goes both ways.

Neighbours: `guests.py` has the guest.
"""

import asyncio
import socket
from time import perf_counter

from bench import guests, process
from bench.client import request_head
from bench.line import Line, spread
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server

BODY_BYTES = 6 * 1024 * 1024 - 4_096
"""The limit of 6 MiB counts the whole answer: its fields and its encoding, too."""
REQUESTS = 60
MB_PER_S_MIN = 300
TOGETHER = 8
TIMEOUT_S = 30
HEAD_BYTES_MAX = 4_096


async def measure() -> list[Line]:
    """Rate of one connection, and memory with several bodies in flight."""
    with Server({SERVER_CORE}) as server, pinned(load_cores()):
        url = server.deploy("echo", guests.sample("echo")) + "/body"
        before = process.pss_bytes(server.pid)
        rates = await asyncio.to_thread(_rates, url)
        peak = 0

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.pss_bytes(server.pid))
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*[asyncio.to_thread(_rates, url) for _ in range(TOGETHER)])
        watching.cancel()
    seen = spread(rates)
    held = (peak - before) / (TOGETHER * BODY_BYTES)
    return [
        Line(
            "6 MiB in and out through a copying C function, each way",
            seen.p50,
            "MB/s",
            bound=f"≥ {MB_PER_S_MIN} MB/s",
            met=seen.p50 >= MB_PER_S_MIN,
        ),
        Line(
            f"  memory of {TOGETHER} at once, in bodies of each",
            held,
            "×",
            note=f"peak {peak / 1e6:.0f} MB, {before / 1e6:.0f} MB before",
        ),
    ]


def _rates(url: str) -> list[float]:
    """MB of body per second of each request. Blocking, for streams would copy more than edge."""
    (host, port), head = request_head(url)
    body = bytes(range(256)) * (BODY_BYTES // 256)
    length = b"\r\ncontent-length: %d\r\n\r\n" % len(body)
    request = head.replace(b"GET", b"POST").replace(b"\r\n\r\n", length) + body
    answer = bytearray(len(body) + HEAD_BYTES_MAX)
    rates = []
    with socket.create_connection((host, port), TIMEOUT_S) as sock:
        for _ in range(REQUESTS):
            began = perf_counter()
            sock.sendall(request)
            size, end = 0, len(answer)
            while size < end:
                read = sock.recv_into(memoryview(answer)[size:])
                if not read:
                    raise RuntimeError("the connection was closed")
                size += read
                if end == len(answer) and (found := answer.find(b"\r\n\r\n", 0, size)) > 0:
                    end = found + 4 + len(body)
            rates.append(len(body) / (perf_counter() - began) / 1e6)
            if not answer.startswith(b"HTTP/1.1 200") or answer[end - len(body) : end] != body:
                raise RuntimeError(f"the body did not come back: {bytes(answer[:200])!r}")
    return rates
