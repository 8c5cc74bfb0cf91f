"""An HTTP request as Lambda's payload 2.0, in the shape a Function URL gives it.

Neighbours: `data.py` calls this for ASGI; any other HTTP door can, for nothing here knows ASGI.
Source of the shape: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html.
`rawPath` and `rawQueryString` stay percent-encoded as received, as Function URLs leave them;
repeated header fields and query values are joined by commas; `cookies` lists what the `cookie`
field, which stays in `headers`, holds. Our own addition: `body` is a byte string, never base64.
"""

import re
from collections.abc import Sequence
from time import gmtime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from edge.front.target import Target
from edge.model.caller import Caller
from edge.model.event import Event, Source
from edge.model.ids import ACCOUNT

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ASCII_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_NO_PEER = "127.0.0.1"


class HttpRequest(NamedTuple):
    """A request's head as it came over the wire.

    `headers` are pairs of field name, in lower case, and value. `peer` is the address of the
    other end, empty for a socket that has none. `protocol` reads like `HTTP/1.1`.
    """

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    peer: str
    protocol: str


def http_event(
    request: HttpRequest,
    target: Target,
    body: bytes,
    request_id: str,
    time_ms: int,
    pin: str = "",
    caller: Caller | None = None,
) -> Event:
    """The event for `target`; `time_ms` is the Unix time of arrival, `pin` the version drawn.

    What proved who the `caller` is, is not handed on: a function could call others with it.
    """
    headers = join_headers(request.headers)
    path = _ascii(target.path)
    domain = _domain(headers.get("host", "localhost"))
    payload: dict[str, object] = {
        "version": "2.0",
        "routeKey": target.route_key,
        "rawPath": path,
        "rawQueryString": _ascii(request.raw_query),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": target.function,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.peer or _NO_PEER,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": target.route_key,
            "stage": "$default",
            "time": common_log_time(time_ms),
            "timeEpoch": time_ms,
        },
        "isBase64Encoded": False,
    }
    if caller is not None:
        headers.pop("authorization", None)
        payload["requestContext"] = _with_caller(payload["requestContext"], caller)
    if target.parameters:
        payload["pathParameters"] = dict(target.parameters)
    if body:
        payload["body"] = body
    if request.raw_query:
        payload["queryStringParameters"] = join_query(request.raw_query)
    cookie = headers.get("cookie")
    if cookie:
        payload["cookies"] = [part.strip() for part in cookie.split(";") if part.strip()]
    return Event(
        function=target.function,
        payload=payload,
        request_id=request_id,
        source=Source.HTTP,
        qualifier=target.qualifier,
        bytes_in=len(body),
        traceparent=_traceparent(headers.get("traceparent")),
        pin=pin,
    )


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


def common_log_time(time_ms: int) -> str:
    """`time_ms` as `05/Aug/2022:08:14:39 +0000`."""
    year, month, day, hour, minute, second, *_ = gmtime(time_ms // 1000)
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
