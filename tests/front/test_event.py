"""HTTP requests as Lambda's payload 2.0, checked against powertools' models and exact key sets."""

import base64
from typing import Any
from urllib.parse import parse_qs, quote

from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventV2Model,
    LambdaFunctionUrlModel,
)
from hypothesis import given
from hypothesis import strategies as st

from edge.front.event import Arrival, HttpRequest, common_log_time, join_headers, join_query
from edge.model.cbor import decode, encode
from edge.model.event import Document, Event, Source

HEADER_NAMES = [b"host", b"user-agent", b"cookie", b"traceparent", b"x-a"]
TIME_MS = 1_659_687_279_123
EVERY_KEY = {
    "version",
    "routeKey",
    "rawPath",
    "rawQueryString",
    "headers",
    "requestContext",
    "isBase64Encoded",
}
CONTEXT_KEYS = {
    "accountId",
    "apiId",
    "domainName",
    "domainPrefix",
    "http",
    "requestId",
    "routeKey",
    "stage",
    "time",
    "timeEpoch",
}


def event(
    *,
    method: str = "POST",
    path: bytes = b"/hello/some/path",
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = ((b"host", b"api.example.com:8080"),),
    peer: str = "192.0.2.7",
    body: bytes = b"",
) -> Event:
    """The event of a request with these parts."""
    request = HttpRequest(method, path, query, headers, "HTTP/1.1")
    target = request.target_among(None)
    return request.event(target, body, "an-id", Arrival(TIME_MS, peer))


def payload(**parts: Any) -> dict[str, Any]:
    """Its payload."""
    found = event(**parts).payload
    assert isinstance(found, dict)
    return found


def test_the_keys_are_those_of_a_function_url() -> None:
    """Nothing Lambda has is missing, nothing of ours is added, and optional keys are absent."""
    found = payload()
    assert set(found) == EVERY_KEY
    assert set(found["requestContext"]) == CONTEXT_KEYS
    assert set(found["requestContext"]["http"]) == {
        "method",
        "path",
        "protocol",
        "sourceIp",
        "userAgent",
    }


def test_optional_keys_appear_with_what_they_hold() -> None:
    """A body, a query and cookies each bring their key."""
    found = payload(body=b"x", query=b"a=1", headers=((b"cookie", b"c=1"),))
    assert set(found) - EVERY_KEY == {"body", "queryStringParameters", "cookies"}


def test_the_values_of_the_request_context() -> None:
    """Every field of the context says what Lambda's documentation says."""
    context = payload(headers=((b"host", b"api.example.com:8080"), (b"user-agent", b"curl/8")))[
        "requestContext"
    ]
    assert context == {
        "accountId": "anonymous",
        "apiId": "hello",
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "http": {
            "method": "POST",
            "path": "/some/path",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.7",
            "userAgent": "curl/8",
        },
        "requestId": "an-id",
        "routeKey": "$default",
        "stage": "$default",
        "time": "05/Aug/2022:08:14:39 +0000",
        "timeEpoch": TIME_MS,
    }


def test_powertools_accepts_the_event() -> None:
    """The models that handlers validate with take the event, its body put in their form."""
    found = payload(
        query=b"a=1&a=2&b", headers=((b"cookie", b"c=1; d=2"), (b"host", b"[::1]:80")), body=b"hi"
    )
    found["body"] = base64.b64encode(found["body"]).decode()
    found["isBase64Encoded"] = True
    for model in (LambdaFunctionUrlModel, APIGatewayProxyEventV2Model):
        parsed = model.model_validate(found)
        assert parsed.requestContext.http.method == "POST"
        assert parsed.cookies == ["c=1", "d=2"]
        assert parsed.queryStringParameters == {"a": "1,2", "b": ""}


def test_event_carries_what_the_invoker_needs() -> None:
    """Function, qualifier, id, source, size and trace parent stand beside the payload."""
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    found = event(path=b"/hello:prod/x", body=b"12345", headers=((b"traceparent", trace),))
    assert (found.function, found.qualifier, found.request_id) == (
        "hello",
        "prod",
        "an-id",
    )
    assert (found.source, found.bytes_in, found.traceparent) == (Source.HTTP, 5, trace.decode())


def test_a_malformed_trace_parent_is_not_passed_on() -> None:
    """A guest that forwards the trace parent cannot be made to forward anything else."""
    assert event(headers=((b"traceparent", b"00-\x00evil"),)).traceparent is None


def test_paths_and_queries_stay_encoded() -> None:
    """A function sees the bytes the client sent, so `%2F` is no slash to it."""
    found = payload(path=b"/hello/a%2Fb%20c", query=b"q=%C3%A9&x=a+b")
    assert found["rawPath"] == "/a%2Fb%20c"
    assert found["requestContext"]["http"]["path"] == "/a%2Fb%20c"
    assert found["rawQueryString"] == "q=%C3%A9&x=a+b"
    assert found["queryStringParameters"] == {"q": "é", "x": "a b"}


def test_bytes_that_are_no_url_are_encoded_not_lost() -> None:
    """Raw bytes beyond ASCII become percent-encoded; bad UTF-8 in a value becomes U+FFFD."""
    found = payload(path=b"/hello/\xff\xfe%41", query=b"a=%ff&b=\xff")
    assert found["rawPath"] == "/%FF%FE%41"
    assert found["rawQueryString"] == "a=%ff&b=%FF"
    assert found["queryStringParameters"] == {"a": "\ufffd", "b": "\ufffd"}


def test_repeated_headers_are_joined() -> None:
    """Repeated fields arrive as one, cookies in a way that they still parse."""
    pairs = ((b"accept", b"a"), (b"cookie", b"x=1"), (b"accept", b"b"), (b"cookie", b"y=2"))
    assert join_headers(pairs) == {"accept": "a,b", "cookie": "x=1; y=2"}
    assert payload(headers=pairs)["cookies"] == ["x=1", "y=2"]


def test_a_body_is_bytes_and_says_so() -> None:
    """A binary body reaches the guest as it is, with no base64 on the way."""
    body = bytes(range(256))
    found = payload(body=body)
    assert found["body"] == body
    assert found["isBase64Encoded"] is False


def test_domain_names_without_ports() -> None:
    """The domain is a name; a missing host does not break the event."""
    assert payload(headers=())["requestContext"]["domainName"] == "localhost"
    bracketed = payload(headers=((b"host", b"[2001:db8::1]:8080"),))["requestContext"]
    assert bracketed["domainName"] == "[2001:db8::1]"


@given(time_s=st.integers(0, 4_000_000_000))
def test_time_is_common_log_format(time_s: int) -> None:
    """The hand-made time agrees with strftime in the C locale."""
    from datetime import UTC, datetime

    expected = datetime.fromtimestamp(time_s, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    assert common_log_time(time_s) == expected


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=8))
def test_queries_decode_as_the_standard_library_does(pairs: list[tuple[str, str]]) -> None:
    """What a browser encodes, a function reads; repeats are joined in order."""
    pairs = [(_encodable(name), _encodable(value)) for name, value in pairs]
    raw = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    expected = {k: ",".join(v) for k, v in parse_qs(raw, keep_blank_values=True).items()}
    assert join_query(raw.encode()) == expected


@given(
    path=st.binary(max_size=40),
    query=st.binary(max_size=40),
    headers=st.lists(st.tuples(st.binary(min_size=1, max_size=8), st.binary(max_size=20))),
    body=st.binary(max_size=20),
)
def test_any_request_makes_a_plain_event(
    path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Whatever bytes come, the event is one that CBOR carries to the guest unchanged."""
    found = payload(path=b"/hello/" + path, query=query, headers=tuple(headers), body=body)
    assert decode(encode(found)) == found


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@given(
    path=st.binary(max_size=40).map(lambda tail: b"/hello/" + tail),
    query=st.binary(max_size=40),
    headers=st.lists(st.tuples(st.sampled_from(HEADER_NAMES), st.binary(max_size=40)), max_size=6),
    peer=st.sampled_from(["", "192.0.2.7", "2001:db8::1"]),
    body=st.binary(max_size=300),
)
def test_a_document_is_the_same_in_cbor(
    path: bytes,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    peer: str,
    body: bytes,
) -> None:
    """What is put together for a guest in CBOR is what everybody else sees of the event."""
    found = event(path=path, query=query, headers=tuple(headers), peer=peer, body=body)
    assert isinstance(found.given, Document)
    assert decode(found.given.cbor()) == found.payload == decode(encode(found.payload))


def test_events_of_one_head_share_nothing_of_their_requests() -> None:
    """A head that repeats makes an event for each request, with its own id, time, address, body."""
    request = HttpRequest("POST", b"/hello/a", b"q=1", ((b"host", b"a.example"),), "HTTP/1.1")
    target = request.target_among(None)
    first = request.event(target, b"one", "id-1", Arrival(TIME_MS, "192.0.2.1"))
    second = request.event(target, b"", "id-2", Arrival(TIME_MS + 5_000, "192.0.2.2"))
    for found, request_id, peer in ((first, "id-1", "192.0.2.1"), (second, "id-2", "192.0.2.2")):
        payload = found.payload
        assert isinstance(payload, dict)
        assert payload["requestContext"]["requestId"] == request_id
        assert payload["requestContext"]["http"]["sourceIp"] == peer
        assert ("body" in payload) == (request_id == "id-1")
        assert decode(found.given.cbor()) == payload  # type: ignore[attr-defined]
