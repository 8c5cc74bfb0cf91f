"""The control plane: Lambda's API, `/v1` and `/healthz`, as one ASGI app.

Neighbours: the endpoints are in `lambda_api/` and `v1/`; `worker.py` serves this.
Invariant: never reachable on the data plane's port; every request passed `guard.py`, then
`gate.py`, first.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.front.asgi import App, Receive, Scope, Send
from edge.front.endpoints import Dialect, Framed, Row, framed
from edge.front.faults import MethodNotAllowed, NoSuchPath
from edge.front.gate import Gate
from edge.front.guard import Guard
from edge.front.lambda_api.dialect import LAMBDA
from edge.front.lambda_api.routes import lambda_rows
from edge.front.refusal import Discarding
from edge.front.services import Bounds, Services
from edge.front.v1.audit import Audit
from edge.front.v1.dead import DeadLetters
from edge.front.v1.dialect import V1
from edge.front.v1.functions import Functions
from edge.front.v1.health import Health
from edge.front.v1.logs import Logs
from edge.front.v1.usage import Usages


def control_plane(services: Services, bounds: Bounds, data_url: str) -> App:
    """The ASGI app on the private port. `data_url` is where the public one is reached."""
    lambda_routes = _routes(lambda_rows(services, bounds, data_url), LAMBDA)
    app = Starlette(
        routes=[*lambda_routes, *_routes(_v1_rows(services, bounds), V1)],
        exception_handlers={404: _no_such_path, 405: _method_not_allowed},
    )
    gate = Gate(
        _OptionalSlash(app),
        services,
        _dialect_of,
        2 * bounds.module_bytes_max,
    )
    return Discarding(Guard(gate, is_local=services.authority.is_local))


def _v1_rows(services: Services, bounds: Bounds) -> tuple[Row, ...]:
    functions = Functions(services, bounds)
    dead = DeadLetters(services)
    function = "/v1/functions/{name}"
    return (
        ("GET", "/v1/functions", functions.list),
        ("GET", function, functions.get),
        ("PUT", function, functions.put),
        ("DELETE", function, functions.delete),
        ("GET", f"{function}/logs", Logs(services).read),
        ("GET", "/v1/async", dead.count),
        ("GET", "/v1/dead", dead.list),
        ("GET", "/v1/dead/{id}", dead.get),
        ("POST", "/v1/dead/{id}/redrive", dead.redrive),
        ("DELETE", "/v1/dead/{id}", dead.delete),
        ("GET", "/v1/usage", Usages(services).read),
        ("GET", "/v1/audit", Audit(services.audit).read),
        ("GET", "/healthz", Health(services).read),
    )


def _routes(rows: tuple[Row, ...], dialect: Dialect) -> list[Route]:
    return [
        Route(path, Framed(endpoint, dialect), methods=[method]) for method, path, endpoint in rows
    ]


async def _no_such_path(request: Request, _error: Exception) -> Response:
    return await _told(request, NoSuchPath(f"there is nothing at {request.url.path}"))


async def _method_not_allowed(request: Request, _error: Exception) -> Response:
    return await _told(request, MethodNotAllowed(f"{request.method} is not for this path"))


async def _told(request: Request, error: NoSuchPath | MethodNotAllowed) -> Response:
    """An error of routing, in the dialect of the path's family."""

    async def raise_error(_request: Request) -> Response:
        raise error

    return await framed(raise_error, _dialect_of(request.url.path))(request)


def _dialect_of(path: str) -> Dialect:
    return V1 if path.startswith(("/v1", "/healthz")) else LAMBDA


class _OptionalSlash:
    """Lets a path end in a slash, as Lambda's clients may write it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)
