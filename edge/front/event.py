"""An HTTP request as Lambda's payload 2.0, in the shape a Function URL gives it.

Neighbours: `data.py` calls this for ASGI; any other HTTP door can, for nothing here knows ASGI.
Source of the shape: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html.
`rawPath` and `rawQueryString` stay percent-encoded as received, as Function URLs leave them;
repeated header fields and query values are joined by commas; `cookies` lists what the `cookie`
field, which stays in `headers`, holds. Our own addition: `body` is a byte string, never base64.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import gmtime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from edge.front.later import is_later
from edge.front.pins import pin_of
from edge.front.target import DEFAULT_ROUTE, Target, parse_target, routed_target
from edge.model.caller import Caller
from edge.model.cbor import encode_own
from edge.model.event import Document, Event, Source
from edge.model.ids import ACCOUNT
from edge.model.pipe import Pipe
from edge.registry.routes import RouteTable

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ASCII_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_NO_PEER = "127.0.0.1"
_OF_ONE_CONTEXT = frozenset(("http", "requestId", "time", "timeEpoch"))


class Arrival(NamedTuple):
    """When a request came (Unix ms), from which address (empty for a socket that has none), and who
    sent it, where that was asked."""

    time_ms: int
    peer: str
    caller: Caller | None = None


class HttpRequest:
    """A request's head as it came over the wire, and what its event says because of it.

    `headers` are pairs of field name, in lower case, and value; `protocol` reads like `HTTP/1.1`.
    Nothing here is of one request only: heads repeat, and the door keeps what it made of them.
    """

    __slots__ = (
        "_constant",
        "_pieces",
        "_target",
        "_traceparent",
        "headers",
        "is_later",
        "method",
        "pin",
        "raw_path",
        "raw_query",
    )

    def __init__(
        self,
        method: str,
        raw_path: bytes,
        raw_query: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        protocol: str,
    ) -> None:
        self.method = method
        self.raw_path = raw_path
        self.raw_query = raw_query
        self.headers = headers
        self.is_later = is_later(headers)
        self.pin = pin_of(headers)
        self._target: Target | None = None
        self._pieces: Pieces | None = None
        joined = join_headers(headers)
        self._traceparent = _traceparent(joined.get("traceparent"))
        domain = _domain(joined.get("host", "localhost"))
        constant: dict[str, Any] = {
            "version": "2.0",
            "routeKey": DEFAULT_ROUTE,
            "rawPath": "",
            "rawQueryString": _ascii(raw_query),
            "headers": joined,
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "",
                "domainName": domain,
                "domainPrefix": domain.partition(".")[0],
                "http": {
                    "method": method,
                    "path": "",
                    "protocol": protocol,
                    "sourceIp": "",
                    "userAgent": joined.get("user-agent", ""),
                },
                "requestId": "",
                "routeKey": DEFAULT_ROUTE,
                "stage": "$default",
                "time": "",
                "timeEpoch": 0,
            },
            "isBase64Encoded": False,
        }
        self._constant = constant
        if raw_query:
            constant["queryStringParameters"] = join_query(raw_query)
        cookie = joined.get("cookie")
        if cookie:
            constant["cookies"] = [part.strip() for part in cookie.split(";") if part.strip()]

    def target_among(self, routes: RouteTable | None) -> Target:
        """The function it is for: a named route's, else the one its path names.

        Raises as `routed_target`.
        """
        if routes is not None:
            return routed_target(routes, self.method, self.headers, self.raw_path)
        if self._target is None:
            self._target = parse_target(self.raw_path)
        return self._target

    def event(
        self, target: Target, body: bytes, request_id: str, arrival: Arrival, pin: str = ""
    ) -> Event:
        """The event of one such request; `pin` is the version drawn."""
        return Event(
            target.function,
            HttpDocument(self, target, body, request_id, arrival),
            request_id,
            Source.HTTP,
            target.qualifier,
            len(body),
            self._traceparent,
            None,
            pin,
        )

    @staticmethod
    def with_body(event: Event, body: Pipe) -> Event:
        """`event`, its body one that may still be on its way: for who reads it as it comes."""
        given = event.given
        assert isinstance(given, HttpDocument)
        whole = (given.request, given.target, body, given.request_id, given.arrival)
        return event._replace(given=HttpDocument(*whole), bytes_in=body.written_bytes)

    def payload(self, target: Target) -> dict[str, Any]:
        """The payload of a request for `target`, without what is of one request only."""
        path = _ascii(target.path)
        context = self._constant["requestContext"]
        payload = {
            **self._constant,
            "routeKey": target.route_key,
            "rawPath": path,
            "requestContext": {
                **context,
                "apiId": target.function,
                "routeKey": target.route_key,
                "http": {**context["http"], "path": path},
            },
        }
        if target.parameters:
            payload["pathParameters"] = dict(target.parameters)
        return payload

    def pieces(self, target: Target) -> "Pieces":
        """The same in CBOR; kept, for a head that repeats mostly is for the same function."""
        if self._pieces is None or self._pieces.target is not target:
            self._pieces = Pieces.cut(target, self.payload(target))
        return self._pieces


class Pieces(NamedTuple):
    """A payload in CBOR, cut where each request has something of its own.

    What varies stands last in its map: `http` behind the context's other entries, with `sourceIp`
    at its end, and behind that the request's id and times; then, behind all of it, the body.
    """

    target: Target
    begin: bytes
    begin_with_body: bytes
    constant: bytes

    @classmethod
    def cut(cls, target: Target, payload: Mapping[str, Any]) -> "Pieces":
        """Where `payload` is without what is of one request only."""
        context = payload["requestContext"]
        http = context["http"]
        whole = {name: value for name, value in payload.items() if name != "requestContext"}
        around = {name: context[name] for name in context if name not in _OF_ONE_CONTEXT}
        inside = {name: http[name] for name in http if name != "sourceIp"}
        constant = (
            _entries(whole),
            encode_own("requestContext"),
            _map_head(len(context)),
            _entries(around),
            encode_own("http"),
            _map_head(len(http)),
            _entries(inside),
            encode_own("sourceIp"),
        )
        size = len(payload)
        return cls(target, _map_head(size), _map_head(size + 1), b"".join(constant))


class HttpDocument(Document):
    """One request as payload 2.0."""

    __slots__ = ("arrival", "body", "request", "request_id", "target")

    def __init__(
        self,
        request: HttpRequest,
        target: Target,
        body: bytes | Pipe,
        request_id: str,
        arrival: Arrival,
    ) -> None:
        self.request = request
        self.target = target
        self.body = body
        self.request_id = request_id
        self.arrival = arrival

    def plain(self) -> dict[str, Any]:
        """The payload itself; what it is made of is shared, and not to be changed."""
        time_ms, peer, caller = self.arrival
        payload = self.request.payload(self.target)
        context = payload["requestContext"]
        context["http"]["sourceIp"] = peer or _NO_PEER
        context["requestId"] = self.request_id
        context["time"] = common_log_time(time_ms // 1_000)
        context["timeEpoch"] = time_ms
        if caller is not None:
            payload["requestContext"] = _with_caller(context, caller)
            payload["headers"] = _without_proof(payload["headers"])
        if self.body:
            payload["body"] = self.body
        return payload

    def cbor(self) -> bytes:
        """The payload in CBOR, put together from what is known of its head: 2 µs less."""
        time_ms, peer, caller = self.arrival
        if caller is not None:
            return encode_own(self.plain())
        body, pieces = self.body, self.request.pieces(self.target)
        return b"".join(
            (
                pieces.begin_with_body if body else pieces.begin,
                pieces.constant,
                encode_own(peer or _NO_PEER),
                b"\x69requestId",
                encode_own(self.request_id),
                b"\x64time\x78\x1a",
                common_log_time(time_ms // 1_000).encode(),
                b"\x69timeEpoch\x1b",
                time_ms.to_bytes(8, "big"),
                b"\x64body" if body else b"",
                encode_own(body) if body else b"",
            )
        )


def _entries(entries: Mapping[str, object]) -> bytes:
    """A map's entries, without its head."""
    return b"".join(encode_own(each) for entry in entries.items() for each in entry)


def _map_head(size: int) -> bytes:
    """The head of a map of up to 23 entries."""
    return bytes((0xA0 | size,))


def _without_proof(headers: dict[str, str]) -> dict[str, str]:
    """What proved who the caller is, is not handed on: a function could call others with it."""
    return {name: value for name, value in headers.items() if name != "authorization"}


def _with_caller(context: object, caller: Caller) -> dict[str, object]:
    """A `requestContext` that says who called, as a Function URL's with AWS_IAM does."""
    assert isinstance(context, dict)
    identity = {
        "accessKey": caller.access_key_id,
        "accountId": ACCOUNT,
        "callerId": caller.access_key_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.access_key_id,
    }
    told = {"accountId": ACCOUNT, "authentication": None, "authorizer": {"iam": identity}}
    return {**context, **told}


def join_headers(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields as text (Latin-1, as HTTP reads them), repeated ones joined.

    Cookies are joined by `; `, as RFC 9113 section 8.2.3 has it; all others by `,`.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        if name in headers:
            headers[name] += ("; " if name == "cookie" else ",") + value
        else:
            headers[name] = value
    return headers


def join_query(raw_query: bytes) -> dict[str, str]:
    """Query parameters decoded, repeated ones joined; invalid UTF-8 becomes U+FFFD."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(_ascii(raw_query), keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


@lru_cache(maxsize=2)
def common_log_time(time_s: int) -> str:
    """A Unix time as `05/Aug/2022:08:14:39 +0000`; the same for a whole second."""
    year, month, day, hour, minute, second, *_ = gmtime(time_s)
    return f"{day:02d}/{_MONTHS[month - 1]}/{year:04d}:{hour:02d}:{minute:02d}:{second:02d} +0000"


def _ascii(raw: bytes) -> str:
    """`raw` as text; bytes that have no place in a URL are percent-encoded, the rest is left."""
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return quote(raw, safe=_ASCII_VISIBLE)


def _domain(host: str) -> str:
    """The host's name without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _traceparent(value: str | None) -> str | None:
    """A well-formed W3C trace parent, else None: a guest is not handed rubbish to pass on."""
    return value if value and _TRACEPARENT.fullmatch(value) else None
