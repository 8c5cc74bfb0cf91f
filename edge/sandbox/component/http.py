"""Events and answers of `wasi:http` guests: payload 2.0 there and back.

Neighbours: `invoke/prepared.py` makes an `HttpEnvelope` for a version; `execution.py` reads the
answer.
Invariant: bytes are bytes: no body passes through text on its way.
"""

import json
from collections.abc import Mapping
from typing import Any

from edge.host.wasi2.exchange import Exchange, HttpAnswer, IncomingHttp
from edge.model.event import Event, Source
from edge.model.outcome import Failure, Outcome

_HOST = "localhost"
_COOKIE = "set-cookie"


class HttpEnvelope:
    """What a `wasi:http` guest is handed."""

    __slots__ = ()

    def seal(self, event: Event, _deadline_ms: int) -> IncomingHttp:
        """The request an event is; one that came by no HTTP is a POST of its JSON."""
        payload = event.payload
        if event.source is not Source.HTTP or not isinstance(payload, dict):
            body = json.dumps(payload, default=_as_text).encode()
            headers = (("content-type", b"application/json"), *_length(body))
            return IncomingHttp("POST", "http", _HOST, "/", headers, body)
        http = payload["requestContext"]["http"]
        query = payload.get("rawQueryString")
        given: Mapping[str, str] = payload.get("headers", {})
        return IncomingHttp(
            http["method"],
            given.get("x-forwarded-proto", "http"),
            given.get("host", _HOST),
            payload["rawPath"] + (f"?{query}" if query else ""),
            tuple((name, value.encode("latin-1", "replace")) for name, value in given.items()),
            _bytes(payload.get("body", b"")),
        )


def _length(body: bytes) -> tuple[tuple[str, bytes], ...]:
    return (("content-length", str(len(body)).encode()),)


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_exchange(exchange: Exchange) -> tuple[Outcome, object, Failure | None, int]:
    """Outcome, value in Lambda's shape, failure, and size of what the guest answered."""
    answer = exchange.answer
    if answer is None:
        message = f"the guest answered with {exchange.error}"
        if exchange.error is None:
            message = "the guest ended without a response"
        return Outcome.GUEST_ERROR, None, Failure("HttpError", message), 0
    body = answer.body
    if body is not None and body.too_large:
        message = f"the body is over the limit of {body.bytes_max} bytes"
        failure = Failure("Function.ResponseSizeTooLarge", message)
        return Outcome.GUEST_ERROR, None, failure, 0
    if body is not None and not body.finished:
        failure = Failure("HttpError", "the guest ended before the body was finished")
        return Outcome.GUEST_ERROR, None, failure, 0
    data = b"" if body is None else bytes(body.data)
    return Outcome.OK, _response(answer, data), None, len(data)


def _response(answer: HttpAnswer, data: bytes) -> dict[str, object]:
    headers: dict[str, str] = {}
    cookies = []
    for name, value in answer.headers:
        text = value.decode("latin-1")
        if name == _COOKIE:
            cookies.append(text)
        else:
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return {
        "statusCode": answer.status,
        "headers": headers,
        "cookies": cookies,
        "body": data,
        "isBase64Encoded": False,
    }
