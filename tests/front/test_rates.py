"""Rates of keys and of functions, on both planes of a host of two workers."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.access.keyring import NewKey
from edge.keyring import open_keyring
from edge.meter.journal import read_records
from edge.model.outcome import Outcome
from edge.model.rate import Rate
from tests.front.callers import bearer
from tests.running import Server

STREAM = "/2021-11-15/functions/{}/response-streaming-invocations"
INVOKE = "/2015-03-31/functions/{}/invocations"
SLOW = Rate(0.001, 6)
SETTLE_S = 30
TRIES = 24
"""Over as many connections, so that both workers have some of them."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, echo: bytes) -> Iterator[Server]:
    """A closed host; its clients have a key without a rate."""
    data: Path = tmp_path_factory.mktemp("rates") / "data"
    with open_keyring(data) as keyring:
        admin = keyring.create("admin")
    with Server(data, workers=2) as server:
        server.control.headers.update(bearer(admin))
        for name, settings in (
            ("slow", {"rate": {"perSecond": SLOW.per_s, "burst": SLOW.burst}}),
            ("bodies", {"rate": {"perSecond": SLOW.per_s, "burst": SLOW.burst}}),
            ("asked", {"auth": "token"}),
            ("free", {}),
        ):
            server.deploy(name, echo, **settings)
        yield server


@pytest.fixture
def slow_key(host: Server, request: pytest.FixtureRequest) -> Iterator[NewKey]:
    """A key with a rate."""
    with open_keyring(host.data) as keyring:
        yield keyring.create("slow", rate=SLOW)
        keyring.revoke("slow")


def ask(url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> httpx.Response:
    """A POST over a connection of its own."""
    return httpx.post(url, headers=headers, content=body, trust_env=False)


def counted(answers: list[httpx.Response]) -> dict[int, int]:
    """How often each status came."""
    statuses = [answer.status_code for answer in answers]
    return {status: statuses.count(status) for status in set(statuses)}


def test_a_function_is_called_no_more_often_than_it_may(host: Server) -> None:
    """By either plane together; beyond it 429 says when, and other functions are not held up."""
    answers = [ask(f"{host.http_url}/slow") for _ in range(TRIES)]
    passed = counted(answers)[200]
    assert SLOW.burst <= passed <= SLOW.burst + 1
    refused = answers[-1]
    assert refused.json()["error"]["code"] == "throttled"
    assert 900 <= int(refused.headers["retry-after"]) <= 1_000
    assert refused.headers["x-edge-fuel"] == "0"
    invoked = host.control.post(INVOKE.format("slow"), content=b"{}")
    assert invoked.status_code == 429
    assert invoked.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert invoked.json()["Reason"] == "FunctionInvocationRateLimitExceeded"
    assert 900 <= int(invoked.headers["retry-after"]) <= 1_000
    streamed = host.control.post(STREAM.format("slow"), content=b"{}")
    assert (streamed.status_code, streamed.json()) == (429, invoked.json())
    assert ask(f"{host.http_url}/free").status_code == 200


def test_a_body_uses_one_token(host: Server) -> None:
    """Asking before the body is read counts for nothing; what is refused is not read."""
    answers = [ask(f"{host.http_url}/bodies", body=b"x" * 100) for _ in range(TRIES)]
    assert SLOW.burst <= counted(answers)[200] <= SLOW.burst + 1
    assert answers[-1].headers["connection"] == "close"


def test_a_rate_is_changed_without_a_deploy(host: Server, echo: bytes) -> None:
    """A new rate is in force at once, and null takes it away."""
    rate = {"perSecond": 1_000, "burst": 1}
    host.deploy("changed", echo, rate=rate)
    assert host.deploy("changed", echo, rate=rate)["changed"] is False
    assert host.deploy("changed", echo)["rate"] == rate
    assert ask(f"{host.http_url}/changed").status_code == 200
    assert host.deploy("changed", echo, rate=None)["rate"] is None
    assert counted([ask(f"{host.http_url}/changed") for _ in range(TRIES)]) == {200: TRIES}


def test_a_key_asks_no_more_often_than_it_may(host: Server, slow_key: NewKey) -> None:
    """On both planes together, whatever it asks for; others are not held up."""
    headers = bearer(slow_key)
    urls = (f"{host.http_url}/asked", host.control_url + INVOKE.format("free"))
    answers = [ask(urls[each % 2], headers=headers) for each in range(TRIES)]
    assert SLOW.burst <= counted(answers)[200] <= SLOW.burst + 1
    by_data, by_control = answers[-2:]
    assert by_data.json()["error"]["code"] == "rate_exceeded"
    assert by_control.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert by_control.json()["Reason"] == "CallerRateLimitExceeded"
    for answer in (by_data, by_control):
        assert answer.status_code == 429
        assert 900 <= int(answer.headers["retry-after"]) <= 1_000
    assert host.control.get("/v1/functions").status_code == 200
    listed = host.control.get("/v1/functions", headers=headers)
    assert listed.json()["error"]["code"] == "rate_exceeded"
    assert "asks more often" in host.stderr_path.read_text()


def test_strangers_use_up_nobodys_rate(host: Server, slow_key: NewKey) -> None:
    """What was not proved to come from a key does not count for it."""
    wrong = {"authorization": f"Bearer {slow_key.token[:-1]}x"}
    assert counted([ask(f"{host.http_url}/asked", headers=wrong) for _ in range(TRIES)]) == {
        403: TRIES
    }
    assert ask(f"{host.http_url}/asked", headers=bearer(slow_key)).status_code == 200


def test_async_events_wait_for_their_function(host: Server, echo: bytes) -> None:
    """An event that comes too soon is not lost, and waiting uses up none of its attempts."""
    host.deploy("later", echo, rate={"perSecond": 10, "burst": 1})
    event = {"x-amz-invocation-type": "Event"}
    for _ in range(5):
        answer = host.control.post(INVOKE.format("later"), headers=event, content=b"{}")
        assert answer.status_code == 202
    until = time.monotonic() + SETTLE_S
    while host.control.get("/v1/async").json()["waiting"] and time.monotonic() < until:
        time.sleep(0.05)
    outcomes = [
        each.outcome for each in read_records(host.data / "journal") if each.function == "later"
    ]
    assert outcomes.count(Outcome.OK) == 5
    assert set(outcomes) <= {Outcome.OK, Outcome.THROTTLED}
    assert host.control.get("/v1/dead", params={"function": "later"}).json()["dead"] == []
