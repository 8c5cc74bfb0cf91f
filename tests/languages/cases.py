"""The conformance table: what a function can expect of its SDK, in any language.

Neighbours: `languages.py` is the other side of the table, `test_conformance.py` runs each pair.
Every language has one guest, `guests/LANGUAGE/conformance`, which does what `event["case"]` names
and answers any HTTP request with its body, header, query and cookies. Invariant: a case knows no
language; where a language differs, its row says so and why.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import time

import httpx

from edge.front.streams import ResponseStream
from edge.model.event import Event
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.model.stream import ResponseHead
from edge.worker import Worker

GRANTED = "granted"
"""The guest with its own kv namespace and one host to fetch from."""
DENIED = "denied"
"""The same without any grant."""
STREAMED = "streamed"
"""The guest that streams."""
HURRIED = "hurried"
"""The same with little time."""

TIMEOUT_MS = 20_000
HURRIED_MS = 300
VARIABLES = (("GREETING", "grüß dich"), ("EMPTY", ""))
BODY_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Deployed:
    """One language's guest, deployed, with the doors a case may use."""

    worker: Worker
    http: httpx.AsyncClient
    origin: str

    async def invoke(self, case: str, function: str = GRANTED, **fields: object) -> Result:
        """Run a case as an event of the invoke API."""
        event = Event(function, {"case": case, **fields}, "c0ffee00-0000-4000-8000-000000000001")
        return await self.worker.invoker.invoke(event)

    async def ok(self, case: str, function: str = GRANTED, **fields: object) -> object:
        """The value of a case that must succeed."""
        result = await self.invoke(case, function, **fields)
        assert result.outcome is Outcome.OK, (result.failure, result.log)
        return result.value


Run = Callable[[Deployed], Awaitable[None]]


async def echo(guest: Deployed) -> None:
    """Each kind of value comes back as it went."""
    values: list[object] = [None, True, False, 0, 23, 24, 255, 256, 65_536, -1, -25, -257, 2**53]
    values += [2**63 - 1, -(2**63), 0.0, 0.5, -1.25, 1e300, 5e-324, "", "a" * 300]
    values += [[], [[], [1, [2]]], {}, {"a": {"b": []}, "": 1}, [None] * 300]
    assert await guest.ok("echo", value=values) == values
    deep: object = "bottom"
    for _ in range(40):
        deep = [deep]
    assert await guest.ok("echo", value=deep) == deep


async def echo_bytes(guest: Deployed) -> None:
    """Byte strings stay apart from text, at the top and inside."""
    values: list[object] = [b"", b"\x00\xff", bytes(range(256)) * 300, {"a": b"a", "b": "a"}]
    assert await guest.ok("echo", value=values) == values
    assert await guest.ok("echo", value=b"\x80") == b"\x80"


async def echo_uint64(guest: Deployed) -> None:
    """Integers beyond a signed 64-bit one."""
    assert await guest.ok("echo", value=[2**64 - 1, 2**63]) == [2**64 - 1, 2**63]


async def echo_number_kinds(guest: Deployed) -> None:
    """1 and 1.0 are two kinds, and infinity is a float."""
    value = await guest.ok("echo", value=[1, 1.0, float("inf")])
    assert value == [1, 1.0, float("inf")]
    assert [type(number) for number in value] == [int, float, float]


async def unicode(guest: Deployed) -> None:
    """Text of every width, as value and as key."""
    text = "grüße жук 東京 🦀 \u0000 \u007f \u2028 e\u0301 \U0010ffff"
    assert await guest.ok("echo", value={text: text}) == {text: text}


async def large_body(guest: Deployed) -> None:
    """5 MB in and out."""
    body = bytes(range(256)) * (BODY_BYTES // 256)
    response = await guest.http.post(f"/{GRANTED}/", content=body)
    assert response.status_code == 201
    assert response.content == body


async def binary_body(guest: Deployed) -> None:
    """A body that is no text, and one in base64, as a caller of the invoke API sends it."""
    body = b"\xff\xfe\x00\x80 not UTF-8"
    response = await guest.http.post(f"/{GRANTED}/", content=body)
    assert response.content == body
    event = {"rawPath": "/", "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    result = await guest.worker.invoker.invoke(Event(GRANTED, event, "r"))
    assert isinstance(result.value, dict), result.failure
    assert result.value["body"] in (body, base64.b64encode(body).decode())


async def headers_and_cookies(guest: Deployed) -> None:
    """Status, headers, query and cookies, in both directions."""
    response = await guest.http.get(
        f"/{GRANTED}/",
        params={"q": "cheese & bread"},
        headers={"x-ask": "why", "cookie": "a=1; b=two"},
    )
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-answer"] == "why"
    assert response.headers["x-query"] == "cheese & bread"
    assert response.headers.get_list("set-cookie") == ["a=1; HttpOnly", "b=two; HttpOnly"]


async def error(guest: Deployed) -> None:
    """A thrown error arrives with its type and message."""
    result = await guest.invoke("error", message="I cannot brew coffee: ☕")
    assert result.outcome is Outcome.GUEST_ERROR
    assert result.failure is not None
    assert result.failure.type == "TeapotError"
    assert result.failure.message == "I cannot brew coffee: ☕"


async def error_stack(guest: Deployed) -> None:
    """… and says where in the source it was thrown."""
    result = await guest.invoke("error", message="m")
    assert result.failure is not None
    assert result.failure.stack


async def context(guest: Deployed) -> None:
    """What the host says about the request."""
    value = await guest.ok("context")
    assert isinstance(value, dict)
    remaining_ms, deadline_ms = value.pop("remainingMs"), value.pop("deadlineMs")
    assert 0 < remaining_ms <= TIMEOUT_MS
    assert time() * 1_000 < deadline_ms
    assert value == {
        "requestId": "c0ffee00-0000-4000-8000-000000000001",
        "functionName": GRANTED,
        "functionVersion": "$LATEST",
        "invokedFunctionArn": f"arn:aws:lambda:edge:000000000000:function:{GRANTED}:$LATEST",
        "memoryLimitMb": 128,
        "traceparent": None,
        "clientContext": None,
    }


async def log_levels(guest: Deployed) -> None:
    """A line of each level, in order."""
    result = await guest.invoke("log")
    assert result.outcome is Outcome.OK, result.failure
    lines = [(line.level, line.message) for line in result.log]
    assert lines == list(enumerate(["trace 0", "debug 1", "info 2", "warn 3", "error 4"]))


async def key_value(guest: Deployed) -> None:
    """Get, put, compare-and-set, increment, list and delete."""
    assert await guest.ok("kv") == {
        "absent": True,
        "taken": "conflict",
        "first": "one",
        "grows": True,
        "stale": "conflict",
        "second": b"\x00\xff",
        "sum": 3,
        "keys": ["k", "n"],
        "deleted": True,
        "again": False,
    }


async def fetch(guest: Deployed) -> None:
    """A request to a granted host: method, header and body arrive, and so does the answer."""
    value = await guest.ok("fetch", url=f"{guest.origin}/tea", body=b"\x00milk")
    assert value == {"status": 418, "header": "oolong", "body": b"POST /tea why \x00milk"}


async def refusal(guest: Deployed) -> None:
    """Without a grant a host call is `denied`, and the function goes on."""
    assert await guest.ok("kv.get", DENIED) == "denied"
    assert await guest.ok("fetch", DENIED, url=guest.origin, body=b"") == "denied"
    assert await guest.ok("fetch", url="http://127.0.0.1:1/", body=b"") == "denied"


async def stream(guest: Deployed) -> None:
    """An answer written piece by piece: head and piece are there before the next is made."""
    pieces = [b"one", b"\x00\xff", "drei ☕".encode()]
    took: list[tuple[object, bytes, bool]] = []
    reading: list[asyncio.Task[None]] = []

    def take(answer: ResponseStream) -> None:
        reading.append(asyncio.create_task(read(answer)))

    async def read(answer: ResponseStream) -> None:
        pipe = answer.take()
        while not pipe.is_ended:
            await pipe.await_data()
            if pipe.waiting_bytes:
                took.append((answer.head, pipe.read(), work.done()))

    event = Event(STREAMED, {"case": "stream", "pieces": pieces}, "r")
    work = asyncio.create_task(guest.worker.invoker.invoke(event, take))
    result = await work
    await reading[0]
    assert result.outcome is Outcome.OK, (result.failure, result.log)
    head = took[0][0]
    assert isinstance(head, ResponseHead)
    assert head.status == 201
    assert dict(head.headers) == {"content-type": "text/event-stream", "x-kind": "streamed"}
    assert head.cookies == ("a=1",)
    assert [(piece, ended) for _, piece, ended in took] == [(piece, False) for piece in pieces]
    assert result.usage.bytes_out == sum(map(len, pieces))


async def stream_collected(guest: Deployed) -> None:
    """Whoever takes no pieces gets Lambda's response."""
    value = await guest.ok("stream", STREAMED, pieces=[b"one ", b"two"])
    assert isinstance(value, dict)
    assert (value["statusCode"], value["body"], value["cookies"]) == (201, b"one two", ["a=1"])


async def stream_error(guest: Deployed) -> None:
    """An error after a piece is the outcome, with its type and message."""
    result = await guest.invoke("stream", STREAMED, pieces=[b"one"], message="cold")
    assert result.outcome is Outcome.GUEST_ERROR
    assert result.failure is not None
    assert (result.failure.type, result.failure.message) == ("TeapotError", "cold")


async def sleep(guest: Deployed) -> None:
    """The guest sleeps in its own language, and its clock goes on."""
    slept_ms = await guest.ok("sleep", ms=30)
    assert isinstance(slept_ms, int)
    assert slept_ms >= 29  # the clock it reads has milliseconds


async def deadline(guest: Deployed) -> None:
    """A sleeper is ended when its time is up."""
    result = await guest.invoke("sleep", HURRIED, ms=60_000)
    assert result.outcome is Outcome.TIMEOUT


async def environment(guest: Deployed) -> None:
    """The function's own variables, and no others."""
    for name, value in (*VARIABLES, ("PATH", None)):
        assert await guest.ok("environment", name=name) == value


async def randomness(guest: Deployed) -> None:
    """Each request draws its own, though all start from one snapshot."""
    drawn = {await guest.ok("random") for _ in range(8)}
    assert len(drawn) == 8
    assert all(isinstance(value, bytes) and len(value) == 16 for value in drawn)


CASES: tuple[Run, ...] = (
    echo,
    echo_bytes,
    echo_uint64,
    echo_number_kinds,
    unicode,
    large_body,
    binary_body,
    headers_and_cookies,
    error,
    error_stack,
    context,
    log_levels,
    key_value,
    fetch,
    refusal,
    stream,
    stream_collected,
    stream_error,
    sleep,
    deadline,
    environment,
    randomness,
)
