"""A component's own HTTP requests: by the grants of `fetch`, in whole, within its bounds."""

from time import monotonic_ns
from typing import Any

import pytest

from edge.host.calls import HostCalls
from edge.host.fetch.fetcher import Fetcher
from edge.host.flow import StreamLimits
from edge.host.grants import parse_grants
from edge.host.log import LogBuffer
from edge.host.session import Session
from edge.host.wasi2 import http_bodies as bodies
from edge.host.wasi2 import http_client as client
from edge.host.wasi2 import http_fields as fields
from edge.host.wasi2 import http_request, io, streams
from edge.host.wasi2.context import Context
from edge.host.wasi2.exchange import BODIES_BYTES_MAX, Body, Budget
from edge.host.wasi2.http_fields import FIELDS_MAX, Fields
from edge.host.wasi2.http_request import OutgoingRequest
from edge.host.wasi2.results import Err, Ok
from tests.host.origin import Origin, answer, message, serve

DEADLINE_NS = 10_000_000_000


def context(*grants: str) -> Context:
    """A guest's surroundings with these grants."""
    deadline_ns = monotonic_ns() + DEADLINE_NS
    session = Session("r", "f", parse_grants(grants), (), LogBuffer(), deadline_ns)
    return Context(session, HostCalls({}, fetcher=Fetcher()))


def request(
    here: Context, origin: Origin, body: bytes | None = None
) -> http_request.OutgoingRequest:
    """GET, or POST with a body, as a guest puts it together."""
    headers = fields.fields_from_list(here, [("X-Guest", b"\xe9"), ("host", b"evil")])
    made = http_request.new_request(here, headers)
    assert http_request.set_scheme(here, made, ("HTTP", None)) is None
    assert http_request.set_authority(here, made, f"127.0.0.1:{origin.port}") is None
    assert http_request.set_path(here, made, "/p?q=1") is None
    if body is not None:
        assert http_request.set_method(here, made, ("post", None)) is None
        writing = http_request.get_body(here, made)
        stream = bodies.write_body(here, writing)
        assert streams.write(here, stream, body) is None
        bodies.finish_outgoing(here, writing, None)
    return made


async def outcome(here: Context, made: OutgoingRequest) -> Any:
    """Send, wait as `poll` does, and take the response."""
    sent = client.handle(here, made, None)
    assert isinstance(sent, Ok)
    future: Any = sent.value
    waiting = io.poll(here, [client.subscribe(here, future)])
    if not isinstance(waiting, list):
        assert await waiting == [0]
    taken = client.get_response(here, future)
    assert client.get_response(here, future) == Err()
    assert isinstance(taken, Ok)
    return taken.value


@pytest.mark.parametrize("body", [None, b"\0\xff" * 1_000])
async def test_a_request_and_its_response(body: bytes | None) -> None:
    """What the guest sends arrives, with the host's own host header; what is answered, too."""
    headers = {"set-cookie": "a=1", "x-origin": "yes"}
    async with serve(answer(message("201 Created", headers, b"\xffdone"))) as origin:
        here = context(origin.grant)
        got = await outcome(here, request(here, origin, body))
    [received] = origin.received
    assert (received.method, received.path) == ("POST" if body else "GET", "/p?q=1")
    assert received.headers["x-guest"] == "\xe9"
    assert received.headers["host"] == f"127.0.0.1:{origin.port}"
    assert received.body == (body or b"")
    response = got.value
    assert client.get_status(here, response) == 201
    seen = client.get_response_headers(here, response)
    assert fields.get_field(here, seen, "X-Origin") == [b"yes"]
    assert fields.set_field(here, seen, "x-origin", [b"no"]) == Err(("immutable", None))
    stream = bodies.stream_body(here, client.consume(here, response))
    assert streams.read(here, stream, 100) == b"\xffdone"
    assert streams.read(here, stream, 100) == io.CLOSED
    assert here.session.calls == {"fetch": 1}


async def test_what_was_not_granted_is_denied() -> None:
    """And nothing is sent."""
    async with serve(answer(message())) as origin:
        here = context("fetch:example.com")
        got = await outcome(here, request(here, origin))
    assert got == Err(("HTTP-request-denied", None))
    assert not origin.received


async def test_nobody_there() -> None:
    """Is an error code, too."""
    async with serve(answer(message())) as origin:
        pass
    here = context(origin.grant)
    assert await outcome(here, request(here, origin)) == Err(("destination-unavailable", None))


@pytest.mark.parametrize(
    ("name", "value"),
    [("", b"x"), ("a b", b"x"), ("a", b"x\r\ny"), ("a", b"\0"), ("a:", b"x")],
)
def test_no_field_splits_a_message(name: str, value: bytes) -> None:
    """Names and values that are no HTTP never become fields."""
    here = context()
    assert fields.fields_from_list(here, [(name, value)]) == Err(("invalid-syntax", None))


@pytest.mark.parametrize("authority", ["a/b", "a?b", "a#b", "u@a", "a\\b"])
def test_an_authority_is_a_host(authority: str) -> None:
    """Nothing else hides in it."""
    here = context()
    made = http_request.new_request(here, Fields())
    assert http_request.set_authority(here, made, authority) == Err()
    assert http_request.set_path(here, made, "@evil.test/") == Err()


def test_fields_are_bounded() -> None:
    """In number and in bytes."""
    here = context()
    many = [("a", b"x")] * (FIELDS_MAX + 1)
    assert fields.fields_from_list(here, many) == Err(("forbidden", None))
    assert fields.fields_from_list(here, [("a", b"x" * 70_000)]) == Err(("forbidden", None))


def test_bodies_share_a_budget() -> None:
    """All bodies a guest has at once take no more than it; what is dropped is given back."""
    budget, limits = Budget(), StreamLimits()
    made = [Body.within(limits, budget) for _ in range(1_000)]
    assert made.count(None) == 1_000 - BODIES_BYTES_MAX // limits.buffer_bytes_max
    made.clear()
    assert budget.bytes_left == BODIES_BYTES_MAX
