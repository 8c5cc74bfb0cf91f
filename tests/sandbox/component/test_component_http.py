"""`wasi:http` components: one request each, answered in whole or not at all."""

import pytest

from edge.model.event import Event, Source
from edge.model.function import GuestKind, Settings
from edge.model.outcome import Outcome
from edge.model.result import Result
from edge.sandbox.component.http import HttpEnvelope
from edge.worker import Worker
from tests.components import FINISH, HELLO, RESPOND, http_component
from tests.running import Server

PAYLOAD = {
    "version": "2.0",
    "rawPath": "/a b",
    "rawQueryString": "q=1",
    "headers": {"host": "f.test:8080", "x-name": "é"},
    "requestContext": {"http": {"method": "PUT", "path": "/a b", "protocol": "HTTP/1.1"}},
    "body": b"\xff\0",
    "isBase64Encoded": False,
}


async def respond(worker: Worker, module: bytes, payload: object = PAYLOAD) -> Result:
    """Deploy and send one request."""
    await worker.deployer.deploy("f", module, Settings())
    return await worker.invoker.invoke(Event("f", payload, "r", Source.HTTP))


async def test_a_request_is_answered(worker: Worker) -> None:
    """It is recognised by its export, and its response is Lambda's."""
    result = await respond(worker, http_component())
    assert worker.registry.get("f").artifact.kind is GuestKind.WASI_HTTP
    assert result.outcome is Outcome.OK, result.failure
    assert result.value == {
        "statusCode": 200,
        "headers": {},
        "cookies": [],
        "body": b"/a b?q=1",
        "isBase64Encoded": False,
    }
    assert result.usage.bytes_out == len(b"/a b?q=1")


def test_a_request_is_the_event() -> None:
    """Method, host, path, header bytes and body bytes are what came in."""
    request = HttpEnvelope().seal(Event("f", PAYLOAD, "r", Source.HTTP), 0)
    assert (request.method, request.authority, request.path) == ("PUT", "f.test:8080", "/a b?q=1")
    assert ("x-name", b"\xe9") in request.headers
    assert request.body.read() == b"\xff\0"


def test_an_event_of_another_door_is_a_post() -> None:
    """What came by no HTTP is handed over as JSON."""
    request = HttpEnvelope().seal(Event("f", {"a": 1}, "r"), 0)
    assert (request.method, request.path, request.body.read()) == ("POST", "/", b'{"a": 1}')


CUT_SHORT = {
    "no_response": ("", "without a response"),
    "unfinished": (RESPOND, "before the body was finished"),
    "an_error_code": (
        "(call $set (local.get $out) (i32.const 1) (i32.const 0)"
        " (i32.const 0) (i32.const 0) (i32.const 0))",
        "internal-error",
    ),
}


@pytest.mark.parametrize("name", CUT_SHORT)
async def test_an_answer_cut_short_is_an_error(worker: Worker, name: str) -> None:
    """Half a response is never taken for a whole one."""
    body, reason = CUT_SHORT[name]
    result = await respond(worker, http_component(body))
    assert result.outcome is Outcome.GUEST_ERROR
    assert result.failure is not None
    assert reason in result.failure.message


def test_at_the_door(server: Server) -> None:
    """Both kinds of component are served like any other function."""
    server.deploy("web", http_component())
    server.deploy("hello", HELLO)
    response = server.http.get("/web/a%20b", params={"q": "1"})
    assert (response.status_code, response.content) == (200, b"/a%20b?q=1")
    assert server.http.post("/hello", content=b"\xff").text == "hello"
    assert server.control.get("/v1/functions/web").json()["kind"] == "wasi_http"


async def test_a_body_over_the_limit_is_refused(worker: Worker) -> None:
    """The payload limit holds for streamed bodies, with Lambda's name for it."""
    endless = (
        "(loop (call $write (local.get $stream) (i32.const 0) (i32.const 65536) (i32.const 512))"
        " (br_if 0 (i32.eqz (i32.load8_u (i32.const 512)))))"
    )
    result = await respond(worker, http_component(RESPOND + endless + FINISH))
    assert result.failure is not None
    assert result.failure.type == "Function.ResponseSizeTooLarge"
