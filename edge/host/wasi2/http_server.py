"""`wasi:http` from the side that answers: the request a guest was called with, and its response.

Neighbours: `exchange.py` carries the request in, `host/response.py` the response out, as it is
written: from `response-outparam.set` on it has a taker.
Invariant: a guest sees one request, and answers it at most once.
"""

from edge.host.response import ResponseStream, open_stream
from edge.host.wasi2.context import Context, Functions, Resource, on_loop
from edge.host.wasi2.exchange import Body, Exchange
from edge.host.wasi2.http_bodies import IncomingBody, OutgoingBody
from edge.host.wasi2.http_fields import Fields
from edge.host.wasi2.results import Err, Ok
from edge.model.stream import ResponseHead

METHODS = ("get", "head", "post", "put", "delete", "connect", "options", "trace", "patch")
SCHEMES = {"http": "HTTP", "https": "HTTPS"}
_COOKIE = "set-cookie"
Variant = tuple[str, str | None]


class IncomingRequest(Resource):
    """The request."""

    __slots__ = ("consumed", "exchange")
    KIND = "incoming-request"

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.consumed = False


class ResponseOutparam(Resource):
    """Where the response goes."""

    __slots__ = ("exchange",)
    KIND = "response-outparam"

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange


class OutgoingResponse(Resource):
    """A response in the making."""

    __slots__ = ("body", "headers", "status")
    KIND = "outgoing-response"

    def __init__(self, headers: Fields) -> None:
        self.status = 200
        self.headers = headers
        self.body: Body | None = None

    def head(self) -> ResponseHead:
        """How it begins."""
        texts = self.headers.texts
        headers = tuple(pair for pair in texts if pair[0] != _COOKIE)
        cookies = tuple(text for name, text in texts if name == _COOKIE)
        return ResponseHead(self.status, headers, cookies)


def method_variant(method: str) -> Variant:
    """A method as WIT has it."""
    lower = method.lower()
    return (lower, None) if lower in METHODS else ("other", method)


def get_method(context: Context, request: IncomingRequest) -> Variant:
    """Its method."""
    return method_variant(request.exchange.request.method)


def get_path(context: Context, request: IncomingRequest) -> str:
    """Its path, with the query."""
    return request.exchange.request.path


def get_scheme(context: Context, request: IncomingRequest) -> Variant:
    """Its scheme."""
    scheme = request.exchange.request.scheme
    return (SCHEMES[scheme], None) if scheme in SCHEMES else ("other", scheme)


def get_authority(context: Context, request: IncomingRequest) -> str:
    """Its host."""
    return request.exchange.request.authority


def get_headers(context: Context, request: IncomingRequest) -> Fields:
    """Its header fields."""
    return Fields(request.exchange.request.headers, immutable=True)


def consume(context: Context, request: IncomingRequest) -> IncomingBody | Err:
    """Its body, once."""
    if request.consumed:
        return Err()
    request.consumed = True
    return IncomingBody(request.exchange.request.body)


def new_response(context: Context, headers: Fields) -> OutgoingResponse:
    """200, with these header fields."""
    return OutgoingResponse(headers)


def get_status(context: Context, response: OutgoingResponse) -> int:
    """Its status."""
    return response.status


def set_status(context: Context, response: OutgoingResponse, status: int) -> Err | None:
    """Change its status."""
    if not 200 <= status <= 599:
        return Err()
    response.status = status
    return None


def get_response_headers(context: Context, response: OutgoingResponse) -> Fields:
    """Its header fields, as they are."""
    return Fields(response.headers.entries, immutable=True)


def get_body(context: Context, response: OutgoingResponse) -> OutgoingBody | Err:
    """Its body, once."""
    if response.body is not None:
        return Err()
    response.body = Body.within(context.calls.streams, context.bodies)
    return Err() if response.body is None else OutgoingBody(response.body)


def set_response(context: Context, out: ResponseOutparam, response: Ok | Err) -> object:
    """Answer, with a response or an error code."""
    if isinstance(response, Ok) and isinstance(response.value, OutgoingResponse):
        if context.off_loop:
            return on_loop(_open, context, response.value)
        _open(context, response.value)
    elif isinstance(response.value, tuple):
        out.exchange.error = str(response.value[0])
    return None


def _open(context: Context, response: OutgoingResponse) -> None:
    """The response is on its way from now on; without a body it is whole."""
    stream = ResponseStream(response.head(), context.calls.streams, response.body)
    if response.body is None:
        stream.pipe.close()
    open_stream(context.session, stream)


FUNCTIONS: Functions = {
    "[method]incoming-request.method": get_method,
    "[method]incoming-request.path-with-query": get_path,
    "[method]incoming-request.scheme": get_scheme,
    "[method]incoming-request.authority": get_authority,
    "[method]incoming-request.headers": get_headers,
    "[method]incoming-request.consume": consume,
    "[constructor]outgoing-response": new_response,
    "[method]outgoing-response.status-code": get_status,
    "[method]outgoing-response.set-status-code": set_status,
    "[method]outgoing-response.headers": get_response_headers,
    "[method]outgoing-response.body": get_body,
    "[static]response-outparam.set": set_response,
}
