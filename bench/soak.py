"""`python -m bench.soak MINUTES`: mixed load, and what the host holds of it afterwards.

Rounds of saturation with good requests, to a module and every fourth to a component; between them
clients that leave in the middle, and messages that are refused. Memory, threads and descriptors of
the worker are printed for each round. A host that keeps something of a request shows it here as
growth.

Neighbours: `load.py` saturates; `process.py` watches.
"""

import os
import socket
import sys
from contextlib import closing
from itertools import cycle
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from bench import guests, process
from bench.load import saturate
from bench.process import SERVER_CORE, load_cores, pinned
from bench.server import Server
from tests import components

ROUND_S = 10
ODD_PER_ROUND = 200
SETTLED_ROUNDS = 12
"""The first rollup of the journal, after a minute, takes 18 MB that are used again by the next."""
GROWTH_MAX = 1.05
POOL_THREADS = min(32, (os.cpu_count() or 1) + 4)
"""The loop's pool makes another of its threads when all are busy, up to so many."""
ODD = (
    b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5_000,
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /hello HTTP/1.1\r\nHost: a\r\nX",
    b"rubbish\r\n\r\n",
)


def main(minutes: float) -> int:
    """0 when memory, threads and descriptors stayed flat."""
    held: list[tuple[float, int, int]] = []
    requests = 0
    with Server({SERVER_CORE}) as server, pinned(load_cores()):
        hello = server.deploy("hello", guests.sample("hello"))
        urls = cycle([hello] * 3 + [server.deploy("component", components.HELLO)])
        server.deploy("echo", guests.sample("echo"))
        server.deploy("sleep", guests.sleeping())
        until = monotonic() + minutes * 60
        while monotonic() < until:
            url = next(urls)
            requests += int(saturate(url, load_cores(), seconds=ROUND_S).requests_per_s * ROUND_S)
            for number in range(ODD_PER_ROUND):
                _ask_and_leave(server.http_url, ODD[number % len(ODD)])
            pid = server.pid
            descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            held.append((process.own_bytes(pid) / 1e6, process.threads(pid), descriptors))
            memory_mb, threads, _ = held[-1]
            print(
                f"{requests:>12,} requests  {memory_mb:6.1f} MB"
                f"  {threads} threads  {descriptors} descriptors",
                flush=True,
            )
    return _judge(held)


def _ask_and_leave(url: str, data: bytes) -> None:
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname or "", parts.port or 0), 30)) as sock:
        sock.sendall(data)


def _judge(held: list[tuple[float, int, int]]) -> int:
    """Later rounds against the one in which the host had settled."""
    if len(held) <= SETTLED_ROUNDS:
        print("too short to tell", file=sys.stderr)
        return 1
    settled, last = held[SETTLED_ROUNDS], held[-1]
    growth = last[0] / settled[0]
    flat = (
        growth <= GROWTH_MAX
        and last[1] <= settled[1] + POOL_THREADS
        and last[2] <= settled[2] + ODD_PER_ROUND
    )
    verdict = "flat" if flat else "NOT FLAT"
    print(f"memory grew {growth:.3f} times since round {SETTLED_ROUNDS}: {verdict}")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
