"""Async events through kills: whether any is lost or stuck, and how many run twice.

    python -m bench.async_events [--events 10000] [--kills 20] [--workers 2]

A host accepts and runs events, a tenth of which fail, while all of its processes are killed again
and again and it is started anew.

Neighbours: `tests/running.py` starts the host; `intake.py` measures how fast events are accepted.
Invariant: ends with status 1 when an event was lost, is stuck, or lies dead where it should not.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from edge.meter.journal import read_records
from edge.storage.sqlite.events import SqliteEvents
from tests import wat
from tests.running import Server
from tests.supervise.hosts import worker_pids

IN_FLIGHT = 64
FAILING_EVERY = 10
SETTLE_S = 180
_EVENT = {"x-amz-invocation-type": "Event"}
_SETTINGS = {"async_lease_s": 2, "async_retry_ms": 50}


def deploy(server: Server) -> None:
    """One function that succeeds, and one that always traps."""
    server.deploy("good", wat.HELLO)
    server.deploy("bad", wat.guest("unreachable"))


async def send(url: str, numbers: list[int], accepted: dict[str, str]) -> list[int]:
    """Send events; those whose answer did not come, for they must be sent again."""
    waiting, failed = list(reversed(numbers)), []
    limits = httpx.Limits(max_connections=IN_FLIGHT)

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30, trust_env=False) as http:

        async def sender() -> None:
            while waiting:
                number = waiting.pop()
                name = "good" if number % FAILING_EVERY else "bad"
                path = f"/2015-03-31/functions/{name}/invocations"
                try:
                    answer = await http.post(path, headers=_EVENT, content=b"{}")
                except httpx.TransportError:
                    failed.append(number)
                    continue
                if answer.status_code == 202:
                    accepted[answer.headers["x-amzn-requestid"]] = name
                else:
                    failed.append(number)

        await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))
    return failed


def kill_all(server: Server) -> None:
    """SIGKILL to the supervisor and every worker."""
    pids = worker_pids(server)
    server.kill()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def survive(data: Path, events: int, kills: int, workers: int) -> dict[str, str]:
    """Send events to a host that is killed `kills` times; what was accepted, by request id."""
    accepted: dict[str, str] = {}
    numbers = list(range(events))
    rounds = kills + 1
    for turn in range(rounds):
        share = numbers[: -(-len(numbers) // (rounds - turn))]
        with Server(data, workers=workers, settings=_SETTINGS) as server:
            if turn == 0:
                deploy(server)
            if turn == kills:
                asyncio.run(finish(server, numbers, accepted))
                return accepted
            numbers = numbers[len(share) :] + asyncio.run(send_and_kill(server, share, accepted))
    return accepted


async def send_and_kill(server: Server, share: list[int], accepted: dict[str, str]) -> list[int]:
    """Send a share of the events, and kill the host in the middle of it."""
    before = len(accepted)
    sending = asyncio.create_task(send(server.control_url, share, accepted))
    while len(accepted) - before < len(share) // 2 and not sending.done():
        await asyncio.sleep(0.001)
    await asyncio.to_thread(kill_all, server)
    return await sending


async def finish(server: Server, numbers: list[int], accepted: dict[str, str]) -> None:
    """Send the rest, and wait until nothing waits any more."""
    while numbers:
        numbers = await send(server.control_url, numbers, accepted)
    give_up = time.monotonic() + SETTLE_S
    while time.monotonic() < give_up:
        counts = server.control.get("/v1/async").json()
        if counts["waiting"] == 0:
            return
        await asyncio.sleep(0.2)


def judge(data: Path, accepted: dict[str, str]) -> int:
    """Print what became of the events; how many went wrong."""

    runs = Counter(
        record.request_id
        for record in read_records(data / "journal")
        if record.outcome != "throttled"
    )
    store = SqliteEvents(data / "events.db")
    waiting, _ = store.counts()
    dead = {each.event.request_id: each.event.function for each in store.dead_letters(None, "", -1)}
    store.close()
    bad = {key for key, name in accepted.items() if name == "bad"}
    lost = [key for key, name in accepted.items() if not runs[key] and name == "good"]
    lost += [key for key in bad if key not in dead]
    misplaced = [key for key, name in dead.items() if name != "bad"]
    twice = sum(runs[key] - 1 for key, name in accepted.items() if name == "good" and runs[key] > 1)
    print(
        f"accepted {len(accepted)}  lost {len(lost)}  stuck {waiting}  misplaced {len(misplaced)}"
    )
    print(f"ran again {twice}  dead {len(dead)}, of them accepted {len(bad)}")
    return len(lost) + waiting + len(misplaced)


def main() -> int:
    """0 when every event that was accepted ran, and lies where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "kills"
        return int(judge(data, survive(data, options.events, options.kills, options.workers)) > 0)


if __name__ == "__main__":
    sys.exit(main())
