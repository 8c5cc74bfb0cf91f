"""`wasi:http` from the side that answers: the request a guest was called with, and its response.

Neighbours: `exchange.py` carries both to and from the sandbox.
Invariant: a guest sees one request, and answers it at most once.
"""

from edge.host.wasi2.context import Context, Functions, Resource
from edge.host.wasi2.exchange import Body, Exchange, HttpAnswer
from edge.host.wasi2.http_fields import Fields, IncomingBody, OutgoingBody
from edge.host.wasi2.results import Err, Ok

METHODS = ("get", "head", "post", "put", "delete", "connect", "options", "trace", "patch")
SCHEMES = {"http": "HTTP", "https": "HTTPS"}
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

    __slots__ = ("answer",)
    KIND = "outgoing-response"

    def __init__(self, headers: Fields) -> None:
        self.answer = HttpAnswer(200, headers.entries)


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
    return IncomingBody(request.exchange.request.body, request.exchange)


def new_response(context: Context, headers: Fields) -> OutgoingResponse:
    """200, with these header fields."""
    return OutgoingResponse(headers)


def get_status(context: Context, response: OutgoingResponse) -> int:
    """Its status."""
    return response.answer.status


def set_status(context: Context, response: OutgoingResponse, status: int) -> Err | None:
    """Change its status."""
    if not 200 <= status <= 599:
        return Err()
    response.answer.status = status
    return None


def get_response_headers(context: Context, response: OutgoingResponse) -> Fields:
    """Its header fields, as they are."""
    return Fields(response.answer.headers, immutable=True)


def get_body(context: Context, response: OutgoingResponse) -> OutgoingBody | Err:
    """Its body, once."""
    if response.answer.body is not None:
        return Err()
    most = context.exchange.body_bytes_max if context.exchange is not None else 0
    response.answer.body = Body(context.bodies, most)
    return OutgoingBody(response.answer.body)


def set_response(context: Context, out: ResponseOutparam, response: Ok | Err) -> None:
    """Answer, with a response or an error code."""
    if isinstance(response, Ok) and isinstance(response.value, OutgoingResponse):
        out.exchange.answer = response.value.answer
    elif isinstance(response.value, tuple):
        out.exchange.error = str(response.value[0])


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
