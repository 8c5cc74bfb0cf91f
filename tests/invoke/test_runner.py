"""Async events: run at least once, tried again, put off, given up, and told of."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from edge.config import load
from edge.meter.journal import read_records
from edge.model import cbor
from edge.model.async_event import AsyncEvent, Condition, DeadLetter, EventConfig
from edge.model.errors import PayloadTooLarge
from edge.model.event import Event
from edge.model.function import Settings, SharedSettings
from edge.model.ids import function_arn
from edge.model.outcome import Outcome
from edge.model.usage import Usage
from edge.worker import Worker, open_worker
from tests import wat

TRAP = wat.guest("unreachable")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker that does not wait long before it tries again."""
    settings = load({"data": tmp_path / "data", "async_retry_ms": 1, "async_wait_ms": 1})
    async with open_worker(settings, 0) as opened:
        yield opened


async def until(holds: Callable[[], object]) -> None:
    """Wait for something to come true."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def runs(host: Worker, function: str) -> list[Usage]:
    """The journal's records of a function."""
    records = read_records(host.settings.data / "journal")
    return [each for each in records if each.function == function]


def dead(host: Worker) -> list[DeadLetter]:
    """All dead letters."""
    return list(host.events.dead_letters(None, "", 100))


def record_of(letter: DeadLetter) -> dict[str, Any]:
    """What a destination would have been told."""
    return cast(dict[str, Any], cbor.decode(letter.record))


async def test_an_accepted_event_runs_and_leaves(host: Worker) -> None:
    """It ran under its own request id, and nothing is kept of it."""
    await host.deployer.deploy("f", wat.HELLO, Settings())
    await host.intake.accept(Event("f", {"a": b"\x00"}, "r-1"))
    await until(lambda: host.events.counts() == (0, 0))
    assert [(each.request_id, each.outcome) for each in runs(host, "f")] == [("r-1", Outcome.OK)]


async def test_a_failing_event_is_tried_three_times_and_kept(host: Worker) -> None:
    """Two retries, then a dead letter with Lambda's record, which may be driven again."""
    await host.deployer.deploy("f", TRAP, Settings())
    await host.intake.accept(Event("f", {"a": 1}, "r-1"))
    await until(lambda: host.events.counts() == (0, 1))
    assert len(runs(host, "f")) == 3
    (letter,) = dead(host)
    assert letter.condition is Condition.RETRIES_EXHAUSTED
    record = record_of(letter)
    assert record.keys() == {
        "version",
        "timestamp",
        "requestContext",
        "requestPayload",
        "responseContext",
        "responsePayload",
    }
    assert record["requestContext"] == {
        "requestId": "r-1",
        "functionArn": function_arn("f", "$LATEST"),
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"].keys() == {"errorType", "errorMessage", "stackTrace"}
    await host.deployer.deploy("f", wat.HELLO, Settings())
    assert await host.events.redrive("r-1", 1 << 41)  # far from now: it must not be due
    assert host.events.counts() == (1, 0)


async def test_the_rules_of_a_function_hold(host: Worker) -> None:
    """No retries, and the failure told to another function."""
    await host.deployer.deploy("f", TRAP, Settings())
    await host.deployer.deploy("sink", wat.HELLO, Settings())
    await host.events.put_config(EventConfig("f", retries_max=0, on_failure=function_arn("sink")))
    await host.intake.accept(Event("f", {}, "r-1"))
    await until(lambda: runs(host, "sink"))
    await until(lambda: host.events.counts() == (0, 0))
    assert len(runs(host, "f")) == 1
    assert runs(host, "sink")[0].bytes_in > 100


async def test_destinations_that_lead_in_a_circle_end(host: Worker) -> None:
    """After sixteen hops the record is a dead letter."""
    await host.deployer.deploy("f", wat.HELLO, Settings())
    await host.events.put_config(EventConfig("f", on_success=function_arn("f")))
    await host.intake.accept(Event("f", {}, "r-1"))
    await until(lambda: host.events.counts() == (0, 1))
    assert len(runs(host, "f")) == 17
    assert "16 destinations" in dead(host)[0].reason


async def test_an_address_that_was_not_granted_is_not_told(host: Worker) -> None:
    """The record is kept instead, with the reason."""
    await host.deployer.deploy("f", wat.HELLO, Settings())
    await host.events.put_config(EventConfig("f", on_success="http://127.0.0.1:9/told"))
    await host.intake.accept(Event("f", {}, "r-1"))
    await until(lambda: host.events.counts() == (0, 1))
    (letter,) = dead(host)
    assert letter.condition is Condition.SUCCESS
    assert "http://127.0.0.1:9/told did not take the record" in letter.reason
    assert record_of(letter)["responsePayload"] == "hello"


async def test_a_throttled_event_waits_and_counts_no_attempt(host: Worker) -> None:
    """With no room at all it is put off again and again; with room it runs."""
    none = SharedSettings(concurrency_max=0)
    await host.deployer.deploy("f", wat.HELLO, Settings(), change=lambda _: none)
    await host.intake.accept(Event("f", {}, "r-1"))
    await until(lambda: len(runs(host, "f")) > 4)
    assert host.events.counts() == (1, 0)
    host.registry.share("f", lambda _: SharedSettings())
    await until(lambda: host.events.counts() == (0, 0))
    assert [each.outcome for each in runs(host, "f")].count(Outcome.OK) == 1


async def test_an_event_that_is_too_old_is_given_up_unrun(host: Worker) -> None:
    """Its age is counted from when it was accepted."""
    await host.deployer.deploy("f", wat.HELLO, Settings())
    await host.events.add(AsyncEvent("r-1", "f", cbor.encode({"payload": 1}), 0))
    await until(lambda: host.events.counts() == (0, 1))
    assert dead(host)[0].condition is Condition.AGE_EXCEEDED
    assert not runs(host, "f")


async def test_events_nobody_can_run_are_given_up(host: Worker) -> None:
    """For a function that is gone, and of content that is damaged."""
    await host.intake.accept(Event("gone", {}, "r-1"))
    await host.events.add(AsyncEvent("r-2", "gone", b"\xff", 0))
    await until(lambda: host.events.counts() == (0, 2))
    reasons = [each.reason for each in dead(host)]
    assert "gone" in reasons[0]
    assert "damaged" in reasons[1]


async def test_a_payload_over_the_limit_is_refused(host: Worker) -> None:
    """Lambda's 1 MiB, not the 6 MiB of an event one waits for."""
    with pytest.raises(PayloadTooLarge, match="1048576"):
        await host.intake.accept(Event("f", "", "r", bytes_in=(1 << 20) + 1))


async def test_a_stopping_worker_gives_its_events_back(tmp_path: Path) -> None:
    """The next one runs at once what the first had begun."""
    settings = load({"data": tmp_path / "data", "async_lease_s": 900})
    async with open_worker(settings, 0) as first:
        await first.deployer.deploy("f", wat.sleeper(2), Settings())
        await first.intake.accept(Event("f", {}, "r-1"))
        await until(lambda: first.occupancy.host() == 1)
    async with open_worker(settings, 0) as second:
        await second.deployer.deploy("f", wat.HELLO, Settings())
        await until(lambda: second.events.counts() == (0, 0))
        assert runs(second, "f")[-1].outcome is Outcome.OK
