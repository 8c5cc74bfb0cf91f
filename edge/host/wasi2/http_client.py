"""`wasi:http/outgoing-handler`: a guest's own requests, made by the host call `fetch`.

So the same grants, bounds, counts and charges hold as for any function. A request goes out when
its body is whole, and at the latest when the guest waits for the answer.

Neighbours: `host/fetch/` does the work behind `context.calls`.
Invariant: whatever runs for a guest is in `context.tasks`, which is cancelled with the guest.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from edge.host.fetch.request import BODY_BYTES_MAX, RESERVED_HEADERS
from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Body
from edge.host.wasi2.http_fields import Fields, IncomingBody, OutgoingBody
from edge.host.wasi2.http_server import METHODS, Variant
from edge.host.wasi2.io import IoError, Pollable
from edge.host.wasi2.results import Err, Ok
from edge.model import cbor

_NS_PER_MS = 1_000_000
_ERRORS: Mapping[str, tuple[str, Any]] = {
    "denied": ("HTTP-request-denied", None),
    "timeout": ("connection-timeout", None),
    "unreachable": ("destination-unavailable", None),
    "too_large": ("HTTP-response-body-size", None),
    "invalid_request": ("HTTP-request-URI-invalid", None),
}


class OutgoingRequest(Resource):
    """A request in the making."""

    __slots__ = ("authority", "body", "headers", "method", "path", "scheme")
    KIND = "outgoing-request"

    def __init__(self, headers: Fields) -> None:
        self.headers = headers.entries
        self.method: Variant = ("get", None)
        self.scheme: Variant | None = None
        self.authority: str | None = None
        self.path: str | None = None
        self.body: Body | None = None

    def as_call(self, timeout_ns: int | None) -> bytes:
        """The host call it is."""
        name, other = self.method
        scheme = "http" if self.scheme == ("HTTP", None) else "https"
        headers: dict[str, str] = {}
        for key, value in self.headers:
            if key not in RESERVED_HEADERS:
                text = value.decode("latin-1")
                headers[key] = f"{headers[key]}, {text}" if key in headers else text
        call: dict[str, object] = {
            "op": "fetch",
            "url": f"{scheme}://{self.authority or ''}{self.path or '/'}",
            "method": other if name == "other" else name.upper(),
            "headers": headers,
        }
        if self.body is not None and self.body.data:
            call["body"] = bytes(self.body.data)
        if timeout_ns is not None:
            call["timeoutMs"] = max(1, timeout_ns // _NS_PER_MS)
        return cbor.encode(call)


class RequestOptions(Resource):
    """How long to wait, by what for, in ns."""

    __slots__ = ("timeouts_ns",)
    KIND = "request-options"

    def __init__(self) -> None:
        self.timeouts_ns: dict[str, int] = {}


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


def new_request(context: Context, headers: Fields) -> OutgoingRequest:
    """GET, with these header fields."""
    return OutgoingRequest(headers)


def get_method(context: Context, request: OutgoingRequest) -> Variant:
    """Its method."""
    return request.method


def set_method(context: Context, request: OutgoingRequest, method: Variant) -> Err | None:
    """Change its method."""
    if method[0] not in METHODS and not (method[1] or "").isalpha():
        return Err()
    request.method = method
    return None


def get_path(context: Context, request: OutgoingRequest) -> str | None:
    """Its path, with the query."""
    return request.path


def set_path(context: Context, request: OutgoingRequest, path: str | None) -> Err | None:
    """Change its path, which begins with a slash."""
    if path and not path.startswith("/"):
        return Err()
    request.path = path
    return None


def get_scheme(context: Context, request: OutgoingRequest) -> Variant | None:
    """Its scheme."""
    return request.scheme


def set_scheme(context: Context, request: OutgoingRequest, scheme: Variant | None) -> Err | None:
    """Change its scheme; there are http and https."""
    if scheme is not None and scheme[0] == "other":
        return Err()
    request.scheme = scheme
    return None


def get_authority(context: Context, request: OutgoingRequest) -> str | None:
    """Its host."""
    return request.authority


def set_authority(context: Context, request: OutgoingRequest, authority: str | None) -> Err | None:
    """Change its host, which nothing but a host may hide in."""
    if authority is not None and any(mark in authority for mark in "/?#@\\"):
        return Err()
    request.authority = authority
    return None


def get_headers(context: Context, request: OutgoingRequest) -> Fields:
    """Its header fields, as they are."""
    return Fields(request.headers, immutable=True)


def get_body(context: Context, request: OutgoingRequest) -> OutgoingBody | Err:
    """Its body, once."""
    if request.body is not None:
        return Err()
    request.body = Body(context.bodies, BODY_BYTES_MAX)
    return OutgoingBody(request.body)


def new_options(context: Context) -> RequestOptions:
    """No limits but the host's."""
    return RequestOptions()


def _getter(name: str) -> Any:
    def get(context: Context, options: RequestOptions) -> int | None:
        return options.timeouts_ns.get(name)

    return get


def _setter(name: str) -> Any:
    def set_timeout(context: Context, options: RequestOptions, value: int | None) -> None:
        options.timeouts_ns.pop(name, None)
        if value is not None:
            options.timeouts_ns[name] = value

    return set_timeout


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


_TIMEOUTS = ("connect-timeout", "first-byte-timeout", "between-bytes-timeout")
FUNCTIONS: Functions = {
    "[constructor]outgoing-request": new_request,
    "[method]outgoing-request.method": get_method,
    "[method]outgoing-request.set-method": set_method,
    "[method]outgoing-request.path-with-query": get_path,
    "[method]outgoing-request.set-path-with-query": set_path,
    "[method]outgoing-request.scheme": get_scheme,
    "[method]outgoing-request.set-scheme": set_scheme,
    "[method]outgoing-request.authority": get_authority,
    "[method]outgoing-request.set-authority": set_authority,
    "[method]outgoing-request.headers": get_headers,
    "[method]outgoing-request.body": get_body,
    "[constructor]request-options": new_options,
    **{f"[method]request-options.{name}": _getter(name) for name in _TIMEOUTS},
    **{f"[method]request-options.set-{name}": _setter(name) for name in _TIMEOUTS},
    "[method]future-incoming-response.subscribe": subscribe,
    "[method]future-incoming-response.get": get_response,
    "[method]incoming-response.status": get_status,
    "[method]incoming-response.headers": get_response_headers,
    "[method]incoming-response.consume": consume,
    "http-error-code": http_error_code,
}
