"""A worker that is asked for more than it can do: turns, and turning away."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from bench import guests
from tests.running import Server
from tests.wat import HELLO

WAITING_MAX = 8
FLOOD = 64


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host whose loop spends a microsecond of each turn on first slices, and queues the rest."""
    settings = {"turn_us_starts": 1, "waiting_max": WAITING_MAX}
    with Server(tmp_path_factory.mktemp("turns") / "data", settings=settings) as running:
        running.deploy("long", guests.counting(500_000))
        running.deploy("light", HELLO)
        yield running


async def _ask(client: httpx.AsyncClient, path: str, times: int) -> Counter[int]:
    seen: Counter[int] = Counter()
    for _ in range(times):
        response = await client.get(path)
        seen[response.status_code] += 1
        if response.status_code == 503:
            assert response.headers["retry-after"] == "1"
            assert response.json()["error"]["code"] == "overloaded"
    return seen


async def test_too_many_are_turned_away_and_others_are_not(host: Server) -> None:
    """Beyond what may wait a flood is told to come back; a light function is always served, and
    so is the control plane; everything is metered."""
    before = {t["function"]: t for t in host.control.get("/v1/usage").json()["totals"]}
    limits = httpx.Limits(max_connections=FLOOD + 2)
    async with httpx.AsyncClient(base_url=host.http_url, limits=limits, timeout=60) as client:
        flood = [asyncio.create_task(_ask(client, "/long", 10)) for _ in range(FLOOD)]
        light = asyncio.create_task(_ask(client, "/light", 20))
        healthy = await asyncio.to_thread(host.control.get, "/healthz")
        seen = sum((await asyncio.gather(*flood)), Counter[int]())
        assert healthy.status_code == 200
        assert await light == {200: 20}
    assert set(seen) <= {200, 503}
    assert seen[503] > 0
    assert seen[200] >= WAITING_MAX
    totals = {t["function"]: t for t in host.control.get("/v1/usage").json()["totals"]}
    assert not before
    assert totals["long"]["requests"] + totals["long"]["rejected"] >= FLOOD * 10
    assert totals["long"]["rejected"] == seen[503]


async def test_who_leaves_while_waiting_is_not_run(host: Server) -> None:
    """A peer that gives up before its turn costs nothing, and nobody else's turn."""
    async with httpx.AsyncClient(base_url=host.http_url, timeout=60) as client:
        impatient = [asyncio.create_task(client.get("/long")) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0.005)
        for task in impatient:
            task.cancel()
        await asyncio.gather(*impatient, return_exceptions=True)
        assert await _ask(client, "/light", 5) == {200: 5}
    assert host.process.poll() is None
