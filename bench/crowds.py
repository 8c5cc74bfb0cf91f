"""Crowds of connections that ask for nothing: idle ones, and slow ones that never end.

Neighbours: `pace.py` and `load.py` ask a function beside them.
Invariant: every connection of a crowd is closed when its block ends.
"""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from urllib.parse import urlsplit

from bench import guests, process
from bench.client import request_head
from bench.line import Line, Spread, spread
from bench.load import Load, saturate
from bench.pace import pace
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server

IDLE = 10_000
IDLE_MB_MAX = 200
IDLE_P99_RATIO_MAX = 1.5
SLOW = 1_000
SLOW_RATIO_MAX = 1.2
HEAD_TIMEOUT_S = 6
LATE_S_MAX = 2.0
EVERY_S = 0.005
SECONDS = 4
GROUPS = 50
SETTLE_S = 0.5
_SPARE_DESCRIPTORS = 256


async def measure() -> list[Line]:
    """Memory and latency beside idle connections, throughput beside slow ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + _SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RuntimeError(f"{wanted} descriptors are needed, this machine allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return [*await _idle(), *await _slow()]


async def _idle() -> list[Line]:
    settings = {"idle_timeout_s": 600, "connections_per_address_max": 2 * IDLE}
    with Server({SERVER_CORE}, settings=settings) as server, pinned(load_cores()):
        url = server.deploy("hello", guests.sample("hello"))
        alone = spread(await pace(url, every_s=EVERY_S, seconds=SECONDS))
        with _crowd(url, IDLE, request_head(url)[1]) as crowd:
            for sock in crowd:
                if not sock.recv(4_096).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("a connection was not answered well before it was idle")
            used_mb = sum(map(process.pss_bytes, server.pids())) / 1e6
            beside = spread(await pace(url, every_s=EVERY_S, seconds=SECONDS))
            used_mb = max(used_mb, sum(map(process.pss_bytes, server.pids())) / 1e6)
    ratio = beside.p99 / alone.p99
    return [
        Line(
            f"memory of the host with {IDLE:,} idle connections",
            used_mb,
            "MB",
            bound=f"≤ {IDLE_MB_MAX} MB",
            met=used_mb <= IDLE_MB_MAX,
        ),
        _paced("  hello alone, a request per 5 ms", alone),
        Line(
            "  hello beside them",
            beside.p50,
            "ms",
            beside.p99,
            ratio=ratio,
            against="p99 alone",
            bound=f"≤ {IDLE_P99_RATIO_MAX} ×",
            met=ratio <= IDLE_P99_RATIO_MAX,
        ),
    ]


async def _slow() -> list[Line]:
    settings = {"head_timeout_s": HEAD_TIMEOUT_S}
    with Server({SERVER_CORE}, settings=settings) as server, pinned(load_cores()):
        url = server.deploy("hello", guests.sample("hello"))
        saturate(url, load_cores(), seconds=1)
        alone = saturate(url, load_cores(), seconds=SECONDS)
        with _crowd(url, SLOW, b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ") as crowd:
            began = perf_counter()
            trickle = asyncio.create_task(_trickle(crowd))
            await asyncio.sleep(SETTLE_S)
            beside = await asyncio.to_thread(
                saturate, url, load_cores(), seconds=HEAD_TIMEOUT_S - 2
            )
            last_s = await trickle - began
    ratio = alone.requests_per_s / beside.requests_per_s
    return [
        _saturated("hello saturated, alone", alone),
        Line(
            f"  beside {SLOW:,} heads that never end",
            beside.p50_ms,
            "ms",
            beside.p99_ms,
            ratio=ratio,
            against="requests/s alone over beside",
            bound=f"≤ {SLOW_RATIO_MAX} ×",
            met=ratio <= SLOW_RATIO_MAX,
            note=f"{beside.requests_per_s:,.0f} req/s",
        ),
        Line(
            "  the last of them was told 408 after",
            last_s,
            "s",
            bound=f"≤ {HEAD_TIMEOUT_S} + {LATE_S_MAX:.0f} s",
            met=last_s <= HEAD_TIMEOUT_S + LATE_S_MAX,
        ),
    ]


async def _trickle(crowd: list[socket.socket]) -> float:
    """Two bytes of each head a second, until each was told to go; when the last was."""
    groups = [set(crowd[first::GROUPS]) for first in range(GROUPS)]
    while any(groups):
        for group in groups:
            await asyncio.sleep(0.5 / GROUPS)
            for sock in tuple(group):
                if _is_told_to_go(sock):
                    group.discard(sock)
    return perf_counter()


def _is_told_to_go(sock: socket.socket) -> bool:
    """Whether the answer is there; else one more byte of the head is sent."""
    sock.setblocking(False)
    try:
        answer = sock.recv(4_096)
    except BlockingIOError:
        sock.send(b"y")
        return False
    if not answer.startswith(b"HTTP/1.1 408"):
        raise RuntimeError("a slow head was answered otherwise than with 408")
    return True


@contextmanager
def _crowd(url: str, size: int, first: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent `first`."""
    parts = urlsplit(url)
    crowd: list[socket.socket] = []
    try:
        for _ in range(size):
            sock = socket.create_connection((parts.hostname or "", parts.port or 0), 30)
            crowd.append(sock)
            sock.sendall(first)
        yield crowd
    finally:
        for sock in crowd:
            sock.close()


def _paced(name: str, seen: Spread) -> Line:
    return Line(name, seen.p50, "ms", seen.p99)


def _saturated(name: str, load: Load) -> Line:
    return Line(name, load.p50_ms, "ms", load.p99_ms, note=f"{load.requests_per_s:,.0f} req/s")
