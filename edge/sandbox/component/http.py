"""Events of `wasi:http` guests, made of payload 2.0, and how their exchange ended.

Neighbours: `invoke/prepared.py` makes an `HttpEnvelope` for a version; `execution.py` asks how it
ended.
Invariant: bytes are bytes: no body passes through text on its way.
"""

import json
from collections.abc import Mapping
from typing import Any

from edge.host.response import ResponseStream
from edge.host.wasi2.exchange import Exchange, IncomingHttp
from edge.model.event import Event, Source
from edge.model.outcome import Failure, Outcome
from edge.model.pipe import Pipe

_HOST = "localhost"


class HttpEnvelope:
    """What a `wasi:http` guest is handed."""

    __slots__ = ()

    def seal(self, event: Event, _deadline_ms: int) -> IncomingHttp:
        """The request an event is; one that came by no HTTP is a POST of its JSON."""
        payload = event.payload
        if event.source is not Source.HTTP or not isinstance(payload, dict):
            body = json.dumps(payload, default=_as_text).encode()
            headers = (("content-type", b"application/json"), *_length(body))
            return IncomingHttp("POST", "http", _HOST, "/", headers, Pipe.holding(body))
        http = payload["requestContext"]["http"]
        query = payload.get("rawQueryString")
        given: Mapping[str, str] = payload.get("headers", {})
        return IncomingHttp(
            http["method"],
            given.get("x-forwarded-proto", "http"),
            given.get("host", _HOST),
            payload["rawPath"] + (f"?{query}" if query else ""),
            tuple((name, value.encode("latin-1", "replace")) for name, value in given.items()),
            _pipe(payload.get("body", b"")),
        )


def _length(body: bytes) -> tuple[tuple[str, bytes], ...]:
    return (("content-length", str(len(body)).encode()),)


def _pipe(body: Any) -> Pipe:
    """A body that may still be on its way, as its door made it; or one that is there."""
    if isinstance(body, Pipe):
        return body
    return Pipe.holding(body.encode() if isinstance(body, str) else bytes(body))


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_exchange(
    exchange: Exchange, response: ResponseStream | None
) -> tuple[Outcome, Failure | None]:
    """How a guest ended whose handler returned: it answered, in whole, or it failed."""
    if response is None:
        message = f"the guest answered with {exchange.error}"
        if exchange.error is None:
            message = "the guest ended without a response"
    elif response.flow.overflow_bytes:
        return Outcome.OK, None  # who ends the stream tells that it was too long
    elif not response.pipe.is_closed or response.pipe.is_cut:
        message = "the guest ended before the body was finished"
    else:
        return Outcome.OK, None
    return Outcome.GUEST_ERROR, Failure("HttpError", message)
