"""The one table is whole, and shows a stranger nothing of a guest's."""

import json

import pytest

from edge.front import faults  # noqa: F401 - its classes are part of the tree under test
from edge.front.answers import (
    OUTCOMES,
    error_answer,
    error_row,
    metering_headers,
    outcome_answer,
)
from edge.model.errors import EdgeError, NotFound
from edge.model.outcome import Failure, Outcome
from edge.model.result import Result
from edge.model.usage import Usage

STATUSES = {
    Outcome.GUEST_ERROR: 502,
    Outcome.GUEST_TRAP: 502,
    Outcome.OUT_OF_MEMORY: 502,
    Outcome.TIMEOUT: 504,
    Outcome.CPU_EXCEEDED: 504,
    Outcome.DENIED: 403,
    Outcome.THROTTLED: 429,
    Outcome.OVERLOADED: 503,
    Outcome.CANCELED: 503,
    Outcome.HOST_ERROR: 500,
}


def result(outcome: Outcome, *, retry_after_s: int | None = None) -> Result:
    """A result that ended in `outcome`, with a failure a stranger should not read."""
    usage = Usage(
        time_ms=0,
        request_id="the-request-id",
        function="hello",
        version="$LATEST",
        source="http",
        outcome=outcome,
        fuel=12_345,
        billed_ms=3,
        memory_mb=128,
        wall_us=5_000,
        restore_us=6,
        host_us=1_000,
        memory_peak_bytes=1,
        bytes_in=0,
        bytes_out=0,
    )
    failure = Failure("KeyError", "what happened", ("at secret.py line 7",))
    return Result(outcome, None, failure, usage, retry_after_s=retry_after_s)


def tree(root: type[EdgeError]) -> list[type[EdgeError]]:
    """A class and all below it."""
    return [root, *(leaf for child in root.__subclasses__() for leaf in tree(child))]


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.OK])
def test_every_outcome_has_its_status(outcome: Outcome) -> None:
    """The design's table, and a body of its one shape."""
    answer = outcome_answer(result(outcome))
    assert answer.status == STATUSES[outcome]
    error = json.loads(answer.body)["error"]
    assert set(error) == {"code", "message", "requestId"}
    assert (error["code"], error["requestId"]) == (outcome, "the-request-id")
    assert b"secret.py" not in answer.body
    assert dict(answer.headers)[b"content-length"] == str(len(answer.body)).encode()


def test_a_functions_own_words_stay_in_its_log() -> None:
    """What a guest says went wrong may quote a password: strangers get a fixed sentence."""
    answer = outcome_answer(result(Outcome.GUEST_ERROR))
    assert b"what happened" not in answer.body
    assert b"KeyError" not in answer.body


def test_refusals_say_when_to_come_back() -> None:
    """429 and 503 carry Retry-After, one second unless the result knows better."""
    throttled = outcome_answer(result(Outcome.THROTTLED, retry_after_s=7))
    assert dict(throttled.headers)[b"retry-after"] == b"7"
    assert dict(outcome_answer(result(Outcome.OVERLOADED)).headers)[b"retry-after"] == b"1"
    assert b"retry-after" not in dict(outcome_answer(result(Outcome.TIMEOUT)).headers)


@pytest.mark.parametrize("kind", tree(EdgeError), ids=lambda kind: kind.__name__)
def test_every_platform_error_has_a_row(kind: type[EdgeError]) -> None:
    """No error is without a status, a Lambda name and its own code."""
    row = error_row(kind("sentence"))
    assert 400 <= row.status <= 599
    assert row.code == kind.code
    assert row.lambda_error
    assert row.lambda_error.endswith("Exception")


def test_codes_are_unique() -> None:
    """A client that switches on the code can tell every error from every other."""
    codes = [kind.code for kind in tree(EdgeError)] + [row.code for row in OUTCOMES.values()]
    # A caller denied, or a host that is full, by the platform or the outcome: the same to both.
    shared = {"denied", "overloaded"}
    assert {code for code in codes if codes.count(code) > 1} == shared


def test_an_error_answer_is_whole() -> None:
    """Code, message and request id in the body, the id in the header too."""
    answer = error_answer(NotFound("no such thing"), "some-id")
    assert (answer.status, json.loads(answer.body)) == (
        404,
        {"error": {"code": "not_found", "message": "no such thing", "requestId": "some-id"}},
    )
    assert dict(answer.headers)[b"x-edge-request-id"] == b"some-id"


def test_metering_headers() -> None:
    """What a call cost, in the contract's five fields."""
    assert metering_headers(result(Outcome.OK).usage) == [
        (b"x-edge-request-id", b"the-request-id"),
        (b"x-edge-version", b"$LATEST"),
        (b"x-edge-fuel", b"12345"),
        (b"x-edge-billed-ms", b"3"),
        (b"server-timing", b"restore;dur=0.006, guest;dur=3.994, host;dur=1.000"),
    ]
