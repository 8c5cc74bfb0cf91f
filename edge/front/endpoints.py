"""The frame around every control plane endpoint: a request id, and errors in the right dialect.

Neighbours: `lambda_api/` and `v1/` each have a Dialect; `control.py` routes to framed endpoints.
Invariant: an endpoint that raises is still answered, by the table in `answers.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from edge.front.asgi import ClientGone, Receive, Scope, Send, read_body, too_large
from edge.front.documents import json_bytes
from edge.front.failures import platform_error
from edge.model.errors import EdgeError
from edge.model.ids import new_request_id

Endpoint = Callable[[Request], Awaitable[Response]]
Row = tuple[str, str, Endpoint]
"""Method, path with `{parameters}`, and what answers there."""
# What nginx logs for a client that closed; nobody receives it.
_CLIENT_CLOSED_REQUEST = 499


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of paths names its request id and tells its errors."""

    request_id_header: str
    failure: Callable[[EdgeError, str], Response]


def framed(endpoint: Endpoint, dialect: Dialect) -> Endpoint:
    """`endpoint` with its errors answered and its request id in the response's header, unless the
    endpoint put that of an earlier request there."""

    async def answer(request: Request) -> Response:
        request_id = request.scope.get("state", {}).get("request_id") or new_request_id()
        request.state.request_id = request_id
        try:
            response = await endpoint(request)
        except ClientGone:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        except Exception as error:  # the outermost frame: nothing may pass
            response = dialect.failure(platform_error(error, request_id), request_id)
        response.headers.setdefault(dialect.request_id_header, request_id)
        return response

    return answer


class Framed:
    """A framed endpoint as an ASGI app: Starlette's own frame around a function, which answers
    exceptions, costs 20 µs and would find none."""

    def __init__(self, endpoint: Endpoint, dialect: Dialect) -> None:
        self._endpoint = framed(endpoint, dialect)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        response = await self._endpoint(Request(scope, receive))
        await response(scope, receive, send)


def json_response(status: int, document: object) -> Response:
    """A JSON response; byte strings in `document` become base64."""
    return Response(json_bytes(document), status, media_type="application/json")


def fields_of(request: Request) -> dict[str, str]:
    """The header fields, the first where one is repeated; Starlette's mapping searches all of them
    at each look."""
    fields = reversed(request.scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}


async def body_of(request: Request, bytes_max: int) -> bytes:
    """The whole body, as the gate read it if it did; raises PayloadTooLarge and ClientGone."""
    read: bytes | None = request.scope.get("state", {}).get("body")
    if read is not None:
        if len(read) > bytes_max:
            raise too_large(bytes_max)
        return read
    return await read_body(request.receive, request.headers.get("content-length"), bytes_max)
