"""`response.start` and `response.write`: what a guest may say, and who it waits for."""

import asyncio
from collections.abc import Awaitable

import pytest

from edge.host.calls import HostCalls
from edge.host.flow import StreamLimits
from edge.host.response import HEADERS_MAX, ResponseCalls, ResponseStream
from edge.host.session import Session
from edge.model import cbor
from edge.model.stream import ResponseHead
from tests.host.guest import make_session

CALLS = HostCalls(ResponseCalls(StreamLimits(8, 100, 40)).operations)


def say(session: Session, op: str, **arguments: object) -> object:
    """The answer of a call, `ok` or the error's code; an awaitable while the guest waits."""
    answer = CALLS.begin(session, cbor.encode({"op": f"response.{op}", **arguments}))
    return _read(answer) if isinstance(answer, bytes) else answer


def _read(answer: bytes) -> object:
    document = cbor.decode(answer)
    assert isinstance(document, dict)
    return "ok" if "ok" in document else document["error"]["code"]


async def later(answer: object) -> object:
    """What a waiting guest is told in the end."""
    assert isinstance(answer, Awaitable)
    return _read(await answer)


def test_a_head_is_what_the_guest_said() -> None:
    """Names in lower case, cookies apart; said once."""
    session = make_session()
    head = {"statusCode": 404, "headers": {"X-A": "b", "a": "ü"}, "cookies": ["c=1"]}
    assert say(session, "start", **head) == "ok"
    assert session.response is not None
    expected = ResponseHead(404, (("x-a", "b"), ("a", "ü")), ("c=1",))
    assert session.response.head == expected
    assert say(session, "start") == "invalid_request"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"statusCode": 199}, "invalid_request"),
        ({"statusCode": "200"}, "invalid_request"),
        ({"headers": {"a b": "c"}}, "invalid_request"),
        ({"headers": {"a": "b\r\nc: d"}}, "invalid_request"),
        ({"headers": {"a": "☕"}}, "invalid_request"),
        ({"headers": {"a": 1}}, "invalid_request"),
        ({"cookies": "a=1"}, "invalid_request"),
        ({"cookies": ["a=1\n"]}, "invalid_request"),
        ({"body": b""}, "invalid_request"),
        ({"headers": {f"a{number}": "" for number in range(HEADERS_MAX + 1)}}, "too_large"),
        ({"headers": {"a": "b" * 40_000}}, "too_large"),
    ],
)
def test_a_head_that_cannot_be_sent(head: dict[str, object], code: str) -> None:
    """Is refused, and nothing has begun."""
    session = make_session()
    assert say(session, "start", **head) == code
    assert session.response is None


async def test_a_guest_waits_for_who_takes_its_answer() -> None:
    """It may write what the pipe holds, then waits until that was read."""
    session = make_session()
    assert say(session, "write", data="12345") == "ok"
    assert session.response is not None
    pipe = session.response.take()
    waiting = asyncio.ensure_future(later(say(session, "write", data=b"6789")))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert pipe.read() == b"12345678"
    assert await waiting == "ok"
    assert pipe.read() == b"9"


async def test_a_collected_answer_waits_for_nobody() -> None:
    """Whoever waited before it was known goes on; its bound is that of any answer."""
    session = make_session()
    waiting = asyncio.ensure_future(later(say(session, "write", data=b"a" * 20)))
    await asyncio.sleep(0)
    session.taker = ResponseStream.collect
    assert session.response is not None
    session.taker(session.response)
    assert await waiting == "ok"
    assert say(session, "write", data=b"b" * 20) == "ok"
    assert say(session, "write", data=b"c") == "too_large"
    assert session.response.flow.overflow_bytes == 41
    assert session.response.whole() == b"a" * 20 + b"b" * 20


def test_a_taker_is_told_when_the_head_is_there() -> None:
    """Whether it was said or not."""
    told: list[ResponseStream] = []
    session = make_session()
    session.taker = told.append
    assert say(session, "write", data=b"x") == "ok"
    assert say(session, "write", data=b"y") == "ok"
    assert [stream.head for stream in told] == [None]
    assert say(session, "write") == "invalid_request"


def test_a_collected_head_is_lambdas_response() -> None:
    """As a function returns it that does not stream."""
    session = make_session()
    session.taker = ResponseStream.collect
    say(session, "start", statusCode=201, headers={"A": "1"}, cookies=["c=1", "d=2"])
    say(session, "write", data="text")
    assert session.response is not None
    assert session.response.whole() == {
        "statusCode": 201,
        "headers": {"a": "1"},
        "cookies": ["c=1", "d=2"],
        "body": b"text",
        "isBase64Encoded": False,
    }
