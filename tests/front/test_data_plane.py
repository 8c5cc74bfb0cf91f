"""The data plane, over HTTP, with real functions on a real host."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import cbor2
import httpx
import pytest

from edge.config import DOORS
from tests import wat
from tests.front.wire import connect, exchange, is_closed, read_response
from tests.running import Server

MIB = 1024 * 1024
PAYLOAD_BYTES_MAX = 6 * MIB


@pytest.fixture(scope="module", params=DOORS)
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A host behind either door: what a function sees and says is the same."""
    data = tmp_path_factory.mktemp("host") / "data"
    with Server(data, settings={"door": request.param}) as running:
        yield running


def returning(host: Server, value: Any, method: str = "POST") -> httpx.Response:
    """The response to a function that returns `value`."""
    return host.http.request(method, "/actor/return", content=cbor2.dumps(value))


def error_code(response: httpx.Response) -> str:
    """The code of an error response, whose body has the one shape there is."""
    error = response.json()["error"]
    assert set(error) == {"code", "message", "requestId"}
    assert error["requestId"] == response.headers["x-edge-request-id"]
    code: str = error["code"]
    return code


# Requests


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_any_method_reaches_the_function(host: Server, method: str) -> None:
    """Which methods exist is for the function to say."""
    response = host.http.request(method, "/echo/a/path?x=1&x=2")
    event = response.json()
    assert event["requestContext"]["http"]["method"] == method
    assert (event["rawPath"], event["queryStringParameters"]) == ("/a/path", {"x": "1,2"})
    assert event["requestContext"]["requestId"] == response.headers["x-edge-request-id"]


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [
        ("/echo", "/"),
        ("/echo:$LATEST/x", "/x"),
        ("/ech%6F/a%2Fb/%E2%98%83", "/a%2Fb/%E2%98%83"),
        ("/echo/%ff%00", "/%ff%00"),
        ("/echo//..//x", "//..//x"),
    ],
)
def test_the_path_arrives_as_it_was_sent(host: Server, path: str, raw_path: str) -> None:
    """Percent-encoding, dots and double slashes are the function's to interpret."""
    request = f"GET {path}?q=%ff HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    response, body = exchange(host.http_url, request)
    assert response.status_code == 200
    assert f'"rawPath":"{raw_path}"'.encode() in body
    assert '"queryStringParameters":{"q":"\ufffd"}'.encode() in body


def test_repeated_headers_and_cookies_arrive(host: Server) -> None:
    """What a client repeats is joined, and cookies are listed."""
    lines = ("Host: a.example:81", "X-A: 1", "Cookie: c=1; d=2", "x-a: 2", "Cookie: e=3")
    request = "\r\n".join(("GET /echo HTTP/1.1", *lines, "", "")).encode()
    event = httpx.Response(200, content=exchange(host.http_url, request)[1]).json()
    assert event["headers"]["x-a"] == "1,2"
    assert event["cookies"] == ["c=1", "d=2", "e=3"]
    assert event["requestContext"]["domainName"] == "a.example"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize("size", [0, 1, 65_536, PAYLOAD_BYTES_MAX - 1024])
def test_binary_bodies_both_ways(host: Server, size: int) -> None:
    """Every byte arrives and comes back, up to nearly the limit."""
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    response = host.http.post("/echo/body", content=body, headers={"content-type": "image/x"})
    assert response.status_code == 200
    assert response.content == body
    assert response.headers["content-type"] == "image/x"


def test_a_body_in_chunks_is_put_together(host: Server) -> None:
    """A client that does not know its body's length can send it all the same."""
    response = host.http.post("/echo/body", content=iter([b"one ", b"", b"two"]))
    assert response.content == b"one two"


# Refusals


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/nobody", "/nobody/x", "/echo:nope"])
def test_unknown_functions_are_not_found(host: Server, path: str) -> None:
    """Nothing there is 404, and says nothing of what is."""
    response = host.http.get(path)
    assert (response.status_code, error_code(response)) == (404, "not_found")
    assert "actor" not in response.text


def test_an_unknown_function_is_refused_before_the_body(host: Server) -> None:
    """A stranger cannot make the host read megabytes for nobody."""
    with connect(host.http_url) as connection:
        connection.sendall(b"POST /nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
        response, _ = read_response(connection)
    assert response.status_code == 404


def test_a_long_body_is_refused_by_its_length(host: Server) -> None:
    """413 comes from the content-length alone, and the connection closes."""
    head = f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {PAYLOAD_BYTES_MAX + 1}\r\n\r\n"
    with connect(host.http_url) as connection:
        connection.sendall(head.encode())
        response, body = read_response(connection)
        assert response.status_code == 413
        assert b"payload_too_large" in body
        assert is_closed(connection)


def test_a_long_body_is_refused_while_it_streams(host: Server) -> None:
    """A body that does not say its length is read to the limit and no further."""
    response = host.http.post("/echo", content=(bytes(MIB) for _ in range(12)))
    assert (response.status_code, error_code(response)) == (413, "payload_too_large")


@pytest.mark.parametrize("path", ["/nobody", "/echo"])
def test_a_refused_upload_still_gets_its_answer(host: Server, path: str) -> None:
    """A client that sends all of a large body first finds its answer, not a reset or a hang."""
    size = 20 * MIB
    with connect(host.http_url) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        sent = 0
        try:
            while sent < size:
                sent += connection.send(bytes(65536))
        except OSError:
            pass  # the server has closed: what it said is in our buffer
        response, _ = read_response(connection)
        assert response.status_code in (404, 413)
        assert is_closed(connection)
    assert host.http.get("/echo").status_code == 200


def test_an_absolute_target_is_brought_to_its_path(host: Server) -> None:
    """A client that takes this for its proxy still reaches the function (RFC 9112, 3.2.2)."""
    response, body = exchange(host.http_url, b"GET http://a/echo/x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert response.status_code == 200
    assert json.loads(body)["rawPath"] == "/x"


# Responses


def test_what_a_call_cost_is_in_the_headers(host: Server) -> None:
    """The five fields of the contract, on success and on failure alike."""
    for response in (returning(host, "x"), host.http.post("/actor/fail")):
        headers = response.headers
        assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-edge-request-id"])
        assert headers["x-edge-version"] == "$LATEST"
        assert int(headers["x-edge-fuel"]) > 0
        assert int(headers["x-edge-billed-ms"]) >= 1
        timing = r"restore;dur=\d+\.\d{3}, guest;dur=\d+\.\d{3}, host;dur=\d+\.\d{3}"
        assert re.fullmatch(timing, headers["server-timing"])


def test_a_lambda_response_is_followed(host: Server) -> None:
    """Status, headers, several cookies and a base64 body, through a real guest."""
    value = {
        "statusCode": 418,
        "headers": {"Content-Type": "image/png", "X-Edge-Fuel": "0", "Connection": "close"},
        "cookies": ["a=1", "b=2; Path=/"],
        "body": base64.b64encode(b"\x89PNG\xff").decode(),
        "isBase64Encoded": True,
    }
    response = returning(host, value)
    assert (response.status_code, response.content) == (418, b"\x89PNG\xff")
    assert response.headers["content-type"] == "image/png"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2; Path=/"]
    assert response.headers["x-edge-fuel"] != "0"
    assert "connection" not in response.headers


@pytest.mark.parametrize(
    ("value", "content_type", "body"),
    [
        ("text", "text/plain; charset=utf-8", b"text"),
        (b"\xff", "application/octet-stream", b"\xff"),
        ({"a": b"\xff"}, "application/json", b'{"a":"/w=="}'),
    ],
)
def test_a_plain_value_is_the_body(
    host: Server, value: Any, content_type: str, body: bytes
) -> None:
    """A function need not know HTTP to answer it."""
    response = returning(host, value)
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == content_type


def test_head_has_the_length_and_no_body(host: Server) -> None:
    """HEAD is a GET without its body, also for errors, on a connection that stays usable."""
    head = host.http.head("/echo/x")
    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 100
    assert head.content == b""
    assert host.http.head("/nobody").headers["content-length"] != "0"
    assert host.http.get("/echo/x").status_code == 200


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_statuses(host: Server, status: int) -> None:
    """A body the function gave by mistake does not end up in the next response."""
    assert returning(host, {"statusCode": status, "body": "x"}).content == b""
    assert returning(host, "next").text == "next"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"statusCode": 101}, "statusCode"),
        ({"statusCode": 200, "body": {"a": 1}}, "body must be text or bytes"),
        ({"statusCode": 200, "headers": {"x": "a\r\nSet-Cookie: b=1"}}, "control character"),
        ({"x": float("nan")}, "JSON"),
    ],
)
def test_a_malformed_response_is_502_and_explained_in_the_log(
    host: Server, value: Any, reason: str
) -> None:
    """The caller is told little; the function's author is told what to mend."""
    response = returning(host, value)
    assert (response.status_code, error_code(response)) == (502, "guest_error")
    assert "set-cookie" not in response.headers
    assert "x-edge-fuel" in response.headers
    lines = log_of(host, response)
    assert any(line["message"].startswith("malformed response") for line in lines)
    assert any(reason in line["message"] for line in lines)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/actor/fail", 502, "guest_error"),
        ("/actor/trap", 502, "guest_trap"),
        ("/actor/loop", 504, "timeout"),
    ],
)
def test_failures_have_their_status_and_keep_their_secrets(
    host: Server, path: str, status: int, code: str
) -> None:
    """Each ending has its row; a guest's words and stack go to its log and to no stranger."""
    response = host.http.post(path, content=b"password")
    assert response.status_code == status
    assert error_code(response) in (code, "cpu_exceeded" if code == "timeout" else code)
    assert "password" not in response.text
    assert "stack" not in response.text.lower()
    if code == "guest_error":
        assert any("password" in line["message"] for line in log_of(host, response))


def test_a_throttled_function_says_when_to_come_back(host: Server, echo: bytes) -> None:
    """429 with Retry-After beyond the function's own limit."""
    host.deploy("closed", echo, concurrency=0)
    response = host.http.get("/closed")
    assert (response.status_code, error_code(response)) == (429, "throttled")
    assert int(response.headers["retry-after"]) >= 1


def test_a_command_answers_with_its_output(host: Server) -> None:
    """A program without an SDK is a function; if it speaks CGI it sets the status too."""
    plain = host.http.post("/cat", content=b"hello")
    assert (plain.status_code, plain.text) == (200, "hello")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    cgi = host.http.post("/cat", content=b"Status: 404 Gone\nContent-Type: text/html\n\n<p>")
    assert (cgi.status_code, cgi.text, cgi.headers["content-type"]) == (404, "<p>", "text/html")


# Presence


def test_a_client_that_leaves_ends_its_invocation(host: Server, actor: bytes) -> None:
    """An hour's sleep does not keep its place when nobody waits for it any more."""
    host.deploy("sleeper", actor, timeoutMs=600_000, concurrency=1)
    with connect(host.http_url) as connection:
        connection.sendall(
            b"POST /sleeper/sleep HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n3600000"
        )
        while host.http.post("/sleeper/log", content=b"x").status_code != 429:
            pass  # it has not begun
    while (response := host.http.post("/sleeper/log", content=b"x")).status_code == 429:
        pass  # it has not noticed
    assert response.status_code == 200


def log_of(host: Server, response: httpx.Response) -> list[dict[str, Any]]:
    """The actor's log lines of one request."""
    lines: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = host.control.get(f"/v1/functions/actor/logs?after={cursor}").json()
        lines += page["lines"]
        if page["next"] == cursor:
            break
        cursor = page["next"]
    request_id = response.headers["x-edge-request-id"]
    return [line for line in lines if line["requestId"] == request_id]


def test_a_request_may_run_later(shared_server: Server) -> None:
    """202 with the request id under which it then runs; the connection goes on."""
    host, later = shared_server, {"x-edge-invocation-type": "Event"}
    host.deploy("later", wat.HELLO)
    for body in (b"", b"x" * 1_000):
        answer = host.http.post("/later", content=body, headers=later)
        assert (answer.status_code, answer.content) == (202, b"")
        assert len(answer.headers["x-edge-request-id"]) == 36
    assert host.http.get("/later").text == "hello"
    large = host.http.post("/later", content=b"x" * (MIB + 1), headers=later)
    assert large.status_code == 413
    assert host.http.post("/nobody", headers=later).status_code == 404
