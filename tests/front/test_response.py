"""Lambda's response rules, and that nothing a guest returns makes invalid HTTP."""

import base64
import json
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.front.answers import Answer, framed
from edge.front.response import RESPONSE_HEADER_BYTES_MAX, MalformedResponse, lambda_response


def headers(answer: Answer) -> dict[bytes, bytes]:
    """An answer's fields by name."""
    return dict(answer.headers)


@pytest.mark.parametrize(
    ("value", "content_type", "body"),
    [
        ("text", b"text/plain; charset=utf-8", b"text"),
        ("é", b"text/plain; charset=utf-8", "é".encode()),
        (b"\x00\xff", b"application/octet-stream", b"\x00\xff"),
        ({"a": [1, None]}, b"application/json", b'{"a":[1,null]}'),
        ({"b": b"\x00\xff"}, b"application/json", b'{"b":"AP8="}'),
        (None, b"application/json", b"null"),
        (True, b"application/json", b"true"),
        ([], b"application/json", b"[]"),
    ],
)
def test_a_value_without_status_is_the_body(value: Any, content_type: bytes, body: bytes) -> None:
    """Text, bytes and everything else each have their content type."""
    assert lambda_response(value) == Answer(200, [(b"content-type", content_type)], body)


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": float("inf")}, {1: object()}])
def test_a_value_json_cannot_say_is_malformed(value: Any) -> None:
    """NaN would be broken JSON for the client; its author is told instead."""
    with pytest.raises(MalformedResponse, match="JSON"):
        lambda_response(value)


@pytest.mark.parametrize(("given_status", "status"), [(200, 200), (599, 599), ("404", 404)])
def test_status_codes(given_status: Any, status: int) -> None:
    """Numbers, and numbers written as text as API Gateway takes them."""
    assert lambda_response({"statusCode": given_status}).status == status


@pytest.mark.parametrize(
    "status", [0, -1, 99, 100, 101, 199, 600, 10**9, True, None, 200.0, "2x0", "", "٢٠٠", [200]]
)
def test_other_status_codes_are_malformed(status: Any) -> None:
    """An informational status is not a final answer, and what is no status cannot be sent."""
    with pytest.raises(MalformedResponse, match="statusCode"):
        lambda_response({"statusCode": status})


def test_body_and_its_default_content_types() -> None:
    """Text is JSON unless it says otherwise, as with Function URLs; bytes are bytes."""
    text = lambda_response({"statusCode": 200, "body": "{}"})
    assert (text.body, headers(text)) == (b"{}", {b"content-type": b"application/json"})
    binary = lambda_response({"statusCode": 200, "body": b"\xff"})
    assert (binary.body, headers(binary)) == (
        b"\xff",
        {b"content-type": b"application/octet-stream"},
    )
    html = lambda_response({"statusCode": 200, "headers": {"Content-Type": "text/html"}})
    assert html == Answer(200, [(b"content-type", b"text/html")], b"")


def test_base64_bodies() -> None:
    """`isBase64Encoded` decodes text, and leaves a byte string alone."""
    encoded = base64.b64encode(b"\x00\xff").decode()
    text = {"statusCode": 200, "body": encoded, "isBase64Encoded": True}
    assert lambda_response(text).body == b"\x00\xff"
    raw = {"statusCode": 200, "body": encoded.encode(), "isBase64Encoded": True}
    assert lambda_response(raw).body == encoded.encode()


@pytest.mark.parametrize("body", ["not base64!", "AP8", "é"])
def test_bad_base64_is_malformed(body: str) -> None:
    """A body that would come out wrong does not come out."""
    with pytest.raises(MalformedResponse, match="base64"):
        lambda_response({"statusCode": 200, "body": body, "isBase64Encoded": True})


@pytest.mark.parametrize("body", [1, True, {"a": 1}, ["x"]])
def test_a_body_is_text_or_bytes(body: Any) -> None:
    """An object as body is the commonest mistake, and is named."""
    with pytest.raises(MalformedResponse, match="body must be text or bytes"):
        lambda_response({"statusCode": 200, "body": body})


def test_header_values_of_other_types() -> None:
    """Numbers and booleans are written out; fields are sent in lower case."""
    answer = lambda_response(
        {"statusCode": 200, "headers": {"X-Count": 3, "X-Ratio": 0.5, "X-On": True, "X-T": " a "}}
    )
    assert answer.headers[:4] == [
        (b"x-count", b"3"),
        (b"x-ratio", b"0.5"),
        (b"x-on", b"true"),
        (b"x-t", b"a"),
    ]


def test_cookies_become_several_fields() -> None:
    """Each cookie has its own set-cookie field, for they cannot be joined."""
    answer = lambda_response({"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"]})
    assert [value for name, value in answer.headers if name == b"set-cookie"] == [
        b"a=1; Path=/",
        b"b=2",
    ]


def test_fields_that_are_not_the_functions_are_dropped() -> None:
    """A guest can neither break the framing nor forge what edge says of itself."""
    dropped = {
        "Content-Length": "3",
        "Transfer-Encoding": "chunked",
        "Connection": "close",
        "Keep-Alive": "1",
        "Upgrade": "h2c",
        "X-Edge-Fuel": "1",
        "x-edge-request-id": "x",
    }
    answer = lambda_response({"statusCode": 200, "headers": {**dropped, "X-Kept": "y"}})
    assert [name for name, _ in answer.headers] == [b"x-kept", b"content-type"]


@pytest.mark.parametrize(
    "fields",
    [
        {"X-A": "1\r\nSet-Cookie: evil=1"},
        {"X-A": "1\n"},
        {"X-A": "\x00"},
        {"X-A": "\x0b"},
        {"X-A": "\x7f"},
        {"X-A": "snow ☃"},
        {"X A": "1"},
        {"": "1"},
        {"X-A:": "1"},
        {"X-É": "1"},
        {"X-A": None},
        {"X-A": ["1"]},
        {1: "1"},
        ["X-A"],
        {"X-A": "y" * (RESPONSE_HEADER_BYTES_MAX + 1)},
    ],
)
def test_headers_http_does_not_allow_are_malformed(fields: Any) -> None:
    """Line breaks cannot smuggle a second field or a second response."""
    with pytest.raises(MalformedResponse):
        lambda_response({"statusCode": 200, "headers": fields})


@pytest.mark.parametrize("cookies", ["a=1", [1], ["a=1\r\nx: y"], {"a": "1"}])
def test_cookies_that_are_not_a_list_of_texts_are_malformed(cookies: Any) -> None:
    """One text would otherwise become a cookie for each of its letters."""
    with pytest.raises(MalformedResponse):
        lambda_response({"statusCode": 200, "cookies": cookies})


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_have_no_length(status: int) -> None:
    """A length on such a response confuses clients that keep the connection."""
    assert framed(*lambda_response({"statusCode": status, "body": "x"})) == Answer(
        status, [(b"content-type", b"application/json")], b""
    )


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_responses = st.fixed_dictionaries(
    {"statusCode": st.integers(190, 610) | _scalars},
    optional={
        "headers": st.dictionaries(st.text(max_size=8), _scalars, max_size=4) | _values,
        "cookies": st.lists(st.text(max_size=12), max_size=3) | _values,
        "body": _scalars,
        "isBase64Encoded": _scalars,
    },
)


@given(_responses | _values)
def test_whatever_a_guest_returns_is_valid_http_or_malformed(value: Any) -> None:
    """An independent HTTP/1.1 implementation sends every answer, and reads it back the same."""
    try:
        answer = framed(*lambda_response(value))
    except MalformedResponse:
        return
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    server.receive_data(client.send(h11.Request(method="GET", target="/", headers=[("host", "x")])))
    client.send(h11.EndOfMessage())
    assert isinstance(server.next_event(), h11.Request)
    wire = server.send(h11.Response(status_code=answer.status, headers=answer.headers)) or b""
    wire += server.send(h11.Data(data=answer.body)) if answer.body else b""
    client.receive_data(wire + (server.send(h11.EndOfMessage()) or b""))
    response = client.next_event()
    assert isinstance(response, h11.Response)
    assert (response.status_code, list(response.headers)) == (answer.status, answer.headers)
    if isinstance(value, list | dict) and "statusCode" not in value:
        json.loads(answer.body)
