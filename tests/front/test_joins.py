"""A retry of what still runs joins it."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import wat
from tests.running import Server

INVOKE = "/2015-03-31/functions/slow/invocations"


def invoke(server: Server, invocation_id: str, payload: bytes = b"{}") -> str:
    """The log tail of one call, which names the request id that ran."""
    headers = {"amz-sdk-invocation-id": invocation_id, "x-amz-log-type": "Tail"}
    answer = httpx.post(
        server.control_url + INVOKE, headers=headers, content=payload, trust_env=False, timeout=30
    )
    assert answer.status_code == 200
    return answer.headers["x-amz-log-result"]


def test_the_same_call_runs_once_at_a_time(shared_server: Server) -> None:
    """Same id and payload while it runs: one run. Another id or payload: another run."""
    shared_server.deploy("slow", wat.sleeper(1.5), timeoutMs=10_000)
    calls = [("a", b"{}"), ("a", b"{}"), ("b", b"{}"), ("a", b"1")]
    with ThreadPoolExecutor(4) as pool:
        tails = list(pool.map(lambda call: invoke(shared_server, *call), calls))
    assert tails[0] == tails[1]
    assert len(set(tails)) == 3
    assert invoke(shared_server, "a") not in tails  # it had ended


def test_what_its_client_left_can_be_joined(shared_server: Server) -> None:
    """The client's time is up before the function's: its retry gets the first run's result."""
    shared_server.deploy("slow", wat.sleeper(2.5), timeoutMs=10_000)
    headers = {"amz-sdk-invocation-id": "left"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            shared_server.control_url + INVOKE, headers=headers, timeout=0.5, trust_env=False
        )
    with ThreadPoolExecutor(2) as pool:
        tails = list(pool.map(lambda _: invoke(shared_server, "left", b""), range(2)))
    assert tails[0] == tails[1]
    usage = shared_server.control.get("/v1/usage", params={"function": "slow"}).json()
    assert usage["totals"][0]["requests"] == 5
