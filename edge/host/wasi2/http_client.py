"""`wasi:http/outgoing-handler`: a guest's own requests, made by the host call `fetch`.

So the same grants, bounds, counts and charges hold as for any function. A request goes out when
its body is whole, and at the latest when the guest waits for the answer.

Neighbours: `http_request.py` has the request; `host/fetch/` does the work behind `context.calls`.
Invariant: whatever runs for a guest is in `context.tasks`, which is cancelled with the guest.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Body
from edge.host.wasi2.http_fields import Fields, IncomingBody
from edge.host.wasi2.http_request import OutgoingRequest, RequestOptions
from edge.host.wasi2.io import IoError, Pollable
from edge.host.wasi2.results import Err, Ok
from edge.model import cbor

_ERRORS: Mapping[str, tuple[str, Any]] = {
    "denied": ("HTTP-request-denied", None),
    "timeout": ("connection-timeout", None),
    "unreachable": ("destination-unavailable", None),
    "too_large": ("HTTP-response-body-size", None),
    "invalid_request": ("HTTP-request-URI-invalid", None),
}


class IncomingResponse(Resource):
    """What the server answered."""

    __slots__ = ("body", "consumed", "headers", "status")
    KIND = "incoming-response"

    def __init__(self, document: Mapping[str, Any], body: Body) -> None:
        self.status: int = document["status"]
        self.headers = _headers(document["headers"])
        self.body = body
        self.consumed = False


def _headers(joined: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """The fields as a guest sees them; cookies came joined by line ends."""
    return [
        (name, value.encode("latin-1", "replace"))
        for name, text in joined.items()
        for value in (text.split("\n") if name == "set-cookie" else (text,))
    ]


class FutureResponse(Pollable):
    """A response on its way."""

    __slots__ = ("_context", "_request", "_task", "_timeout_ns", "answer", "taken")
    KIND = "future-incoming-response"

    def __init__(self, context: Context, request: OutgoingRequest, timeout_ns: int | None) -> None:
        self._context = context
        self._request = request
        self._timeout_ns = timeout_ns
        self._task: asyncio.Task[None] | None = None
        self.answer: Ok | Err | None = None
        self.taken = False

    def ready(self) -> bool:
        """Whether it is there."""
        body = self._request.body
        if self._task is None and not self._context.off_loop and (body is None or body.finished):
            self._start()
        return self.answer is not None

    async def wait(self) -> None:
        """Send the request if need be, and wait for its answer."""
        if self._task is None:
            self._start()
        assert self._task is not None
        await asyncio.shield(self._task)

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._fetch())
        self._context.tasks.append(self._task)

    async def _fetch(self) -> None:
        answer = self._context.calls.begin(
            self._context.session, self._request.as_call(self._timeout_ns)
        )
        document: Any = cbor.decode(answer if isinstance(answer, bytes) else await answer)
        self.answer = self._read(document)

    def _read(self, document: Any) -> Ok | Err:
        if "error" in document:
            code, message = document["error"]["code"], document["error"]["message"]
            return Err(_ERRORS.get(code, ("internal-error", message)))
        body = Body(self._context.bodies, len(document["ok"]["body"]))
        if body.write(document["ok"]["body"]) is not None:
            return Err(_ERRORS["too_large"])
        return Ok(IncomingResponse(document["ok"], body))


class ResponsePollable(Pollable):
    """What a guest polls to wait for a response."""

    __slots__ = ("_future",)

    def __init__(self, future: FutureResponse) -> None:
        self._future = future

    def ready(self) -> bool:
        """Whether it is there."""
        return self._future.ready()

    async def wait(self) -> None:
        """Until it is there."""
        await self._future.wait()


# wasi:http/outgoing-handler


def handle(
    context: Context, request: OutgoingRequest, options: RequestOptions | None
) -> FutureResponse:
    """Send a request."""
    timeouts = options.timeouts_ns.values() if options is not None else ()
    future = FutureResponse(context, request, sum(timeouts) or None)
    future.ready()  # sends it, if nothing is missing
    return future


OUTGOING_HANDLER: Functions = {"handle": handle}


# wasi:http/types


def subscribe(context: Context, future: FutureResponse) -> ResponsePollable:
    """Wait for it."""
    return ResponsePollable(future)


def get_response(context: Context, future: FutureResponse) -> Ok | Err | None:
    """The response, once; none while it is on its way."""
    if future.taken:
        return Err()
    if not future.ready():
        return None
    future.taken = True
    return Ok(future.answer)


def get_status(context: Context, response: IncomingResponse) -> int:
    """Its status."""
    return response.status


def get_response_headers(context: Context, response: IncomingResponse) -> Fields:
    """Its header fields."""
    return Fields(response.headers, immutable=True)


def consume(context: Context, response: IncomingResponse) -> IncomingBody | Err:
    """Its body, once."""
    if response.consumed:
        return Err()
    response.consumed = True
    return IncomingBody(bytes(response.body.data), response.body)


def http_error_code(context: Context, error: IoError) -> None:
    """No stream fails for a reason of HTTP's."""


FUNCTIONS: Functions = {
    "[method]future-incoming-response.subscribe": subscribe,
    "[method]future-incoming-response.get": get_response,
    "[method]incoming-response.status": get_status,
    "[method]incoming-response.headers": get_response_headers,
    "[method]incoming-response.consume": consume,
    "http-error-code": http_error_code,
}
