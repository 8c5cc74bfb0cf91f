"""A client's retry of what runs, or ended just now, joins it on any worker of the host."""

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from edge.front.answers import Answer
from edge.front.lambda_api.joins import Joins, call_of
from edge.front.peers import Peers
from edge.keyring import open_keyring
from edge.supervise.slot import COLUMNS
from tests import wat
from tests.running import Server
from tests.supervise.hosts import await_running, worker_pids

RETRIES = 16
"""So many new connections reach both workers, but for once in 32,768 runs."""


class Call(NamedTuple):
    """One Invoke as an SDK sends it."""

    invocation_id: str
    attempt: int = 0
    payload: bytes = b"{}"
    function: str = "slow"
    token: str = ""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host of two workers, in a directory whose name is longer than a socket's may be, with
    `slow` and `quick`."""
    data = tmp_path_factory.mktemp("pair") / ("long" * 30) / "data"
    data.parent.mkdir()
    with Server(data, workers=2) as server:
        server.deploy("slow", wat.sleeper(2), timeoutMs=10_000)
        server.deploy("quick", wat.HELLO)
        yield server


def invoke(server: Server, call: Call, timeout_s: float = 30) -> str:
    """The id of the request that ran."""
    headers = {"amz-sdk-invocation-id": call.invocation_id, "x-amz-log-type": "Tail"}
    if call.attempt:
        headers["amz-sdk-request"] = f"ttl=20260101T000000Z; attempt={call.attempt}; max=3"
    if call.token:
        headers["authorization"] = f"Bearer {call.token}"
    path = f"/2015-03-31/functions/{call.function}/invocations"
    answer = httpx.post(
        server.control_url + path,
        headers=headers,
        content=call.payload,
        trust_env=False,
        timeout=timeout_s,
    )
    assert answer.status_code == 200, answer.text
    assert answer.content == b'"hello"'
    assert answer.headers["x-amz-log-result"]
    return answer.headers["x-amzn-requestid"]


def invoke_all(server: Server, calls: list[Call]) -> list[str]:
    """The ids of what ran for calls that are made at once."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: invoke(server, call), calls))


def leave(server: Server, call: Call) -> None:
    """Invoke, and give up waiting before the function ends."""
    with pytest.raises(httpx.ReadTimeout):
        invoke(server, call, timeout_s=0.3)


def runs(server: Server, function: str) -> int:
    """How often a function ran."""
    totals = server.control.get("/v1/usage", params={"function": function}).json()["totals"]
    return int(totals[0]["requests"]) if totals else 0


def test_the_same_call_runs_once_at_a_time(shared_server: Server) -> None:
    """Same id and payload while it runs: one run. Another id or payload: another run."""
    shared_server.deploy("slow", wat.sleeper(1.5), timeoutMs=10_000)
    calls = [Call("a"), Call("a"), Call("b"), Call("a", payload=b"1")]
    ids = invoke_all(shared_server, calls)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert invoke(shared_server, Call("a")) not in ids  # it had ended, and this is no retry


def test_retries_join_on_every_worker(pair: Server) -> None:
    """Its client's time was up: each retry gets the first run's answer, wherever it arrives."""
    before = runs(pair, "slow")
    leave(pair, Call("left", 1))
    ids = invoke_all(pair, [Call("left", 2)] * RETRIES)
    assert len(set(ids)) == 1
    assert runs(pair, "slow") == before + 1


def test_a_retry_just_after_the_end_joins(pair: Server) -> None:
    """The answer that was on its way is given again, to retries only."""
    first = invoke(pair, Call("quick", 1, function="quick"))
    retries = [Call("quick", 2, function="quick")] * RETRIES
    assert set(invoke_all(pair, retries)) == {first}
    assert invoke(pair, Call("quick", 1, function="quick")) != first


def test_what_did_not_run_is_tried_again(pair: Server) -> None:
    """A throttled call is nothing to join."""
    path = "/2017-10-31/functions/quick/concurrency"
    pair.control.put(path, json={"ReservedConcurrentExecutions": 0}).raise_for_status()
    with pytest.raises(AssertionError, match="as often as"):
        invoke(pair, Call("shut", 1, function="quick"))
    pair.control.delete(path).raise_for_status()
    assert invoke(pair, Call("shut", 2, function="quick"))


def test_only_retries_ask_and_only_this_user_answers(pair: Server) -> None:
    """The sockets are private, and a first attempt costs the others nothing."""
    sockets = sorted((pair.data / "peers").iterdir())
    assert len(sockets) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in sockets} == {0o600}
    assert stat.S_IMODE(sockets[0].parent.stat().st_mode) == 0o700
    questions: list[bytes] = []

    def find(question: bytes) -> None:
        questions.append(question)

    async def watch() -> None:
        peers = Peers(pair.data / "peers", 99, 1)
        listening = asyncio.create_task(peers.listen(find))
        for attempt in (0, 1, 2):
            call = Call("watched", attempt, bytes([attempt + 48]), "quick")
            await asyncio.to_thread(invoke, pair, call)
        listening.cancel()
        await asyncio.wait([listening])
        peers.close()

    asyncio.run(watch())
    assert len(questions) == 1


def test_a_worker_that_is_stuck_holds_no_retry_up_for_long(pair: Server) -> None:
    """What neither answers nor listens has said no; the retry runs."""
    silent = pair.data / "peers" / "98.sock"
    dead = pair.data / "peers" / "97.sock"
    with socket.socket(socket.AF_UNIX) as mute, socket.socket(socket.AF_UNIX) as gone:
        for each, path in ((mute, silent), (gone, dead)):
            # The name is longer than one that can be bound.
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(path.parent)
                each.bind(path.name)
        mute.listen()
        assert invoke(pair, Call("stuck", 2, function="quick"))
    silent.unlink()
    dead.unlink()


def test_a_retry_of_what_died_with_its_worker_runs(tmp_path: Path) -> None:
    """Those that waited for it by another worker run it there, once; a later one joins them."""
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("slow", wat.sleeper(2), timeoutMs=10_000)
        leave(server, Call("died", 1))
        column = await_running(server, 2, 1).index(1)
        with ThreadPoolExecutor(RETRIES) as pool:
            retries = [pool.submit(invoke, server, Call("died", 2)) for _ in range(RETRIES)]
            time.sleep(0.5)
            os.kill(worker_pids(server)[column // COLUMNS], signal.SIGKILL)
        outcomes = [retry.exception() or retry.result() for retry in retries]
        cut = [each for each in outcomes if isinstance(each, httpx.TransportError)]
        ran = {each for each in outcomes if isinstance(each, str)}
        assert len(cut) < RETRIES
        assert len(ran) == 1
        assert {invoke(server, Call("died", 3))} == ran


def test_nobody_joins_another_callers_invocation(tmp_path: Path) -> None:
    """The same id by another key is another call, on both workers."""
    with Server(tmp_path / "data", workers=2) as server:
        server.deploy("slow", wat.sleeper(1), timeoutMs=10_000)
        with open_keyring(server.data) as keyring:
            owner, other = keyring.create("owner").token, keyring.create("other").token
        leave(server, Call("own", 1, token=owner))
        calls = [Call("own", 2, token=owner), *[Call("own", 2, token=other)] * RETRIES]
        first, *others = invoke_all(server, calls)
        assert first not in others


async def test_what_is_kept_is_bounded() -> None:
    """In bytes and in time; the oldest goes first."""

    async def nobody(_key: bytes) -> None:
        return None

    async def answer(number: int) -> Answer:
        return Answer(200, [], bytes([number]) * 1_000)

    joins = Joins(nobody, 10, 3 * 2_024)
    calls = [call_of({"amz-sdk-invocation-id": str(n)}, (), b"") for n in range(5)]
    for number, call in enumerate(calls):
        assert call is not None
        await joins.run(call, lambda number=number: answer(number))  # type: ignore[misc]
    kept = [joins.find(call.key) for call in calls if call is not None]
    assert [each is not None for each in kept] == [False, False, True, True, True]
    assert (await kept[4])[-1:] == b"\x04"  # type: ignore[misc]
    brief = Joins(nobody, 0, 1_000_000)
    assert calls[0] is not None
    await brief.run(calls[0], lambda: answer(0))
    assert brief.find(calls[0].key) is None
    for each in kept[2:4]:
        await each  # type: ignore[misc]
