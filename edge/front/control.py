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
from edge.front.endpoints import Dialect, Endpoint, Framed, framed
from edge.front.faults import MethodNotAllowed, NoSuchPath
from edge.front.gate import Gate
from edge.front.guard import Guard
from edge.front.lambda_api.aliases import AliasEndpoints
from edge.front.lambda_api.concurrency import Concurrency
from edge.front.lambda_api.deployments import Deployments
from edge.front.lambda_api.dialect import LAMBDA
from edge.front.lambda_api.event_configs import EventConfigs
from edge.front.lambda_api.invocations import Invocations
from edge.front.lambda_api.listings import Listings
from edge.front.lambda_api.mappings import Mappings
from edge.front.lambda_api.permissions import Permissions
from edge.front.lambda_api.provisions import Provisions
from edge.front.lambda_api.streaming import StreamingInvocations
from edge.front.lambda_api.tags import TagEndpoints
from edge.front.lambda_api.urls import Urls
from edge.front.lambda_api.versions import Versions
from edge.front.refusal import Discarding
from edge.front.services import Bounds, Services
from edge.front.v1.dead import DeadLetters
from edge.front.v1.dialect import V1
from edge.front.v1.functions import Functions
from edge.front.v1.health import Health
from edge.front.v1.logs import Logs
from edge.front.v1.usage import Usages

_LAMBDA_FUNCTIONS = "/2015-03-31/functions"


def control_plane(services: Services, bounds: Bounds, data_url: str) -> App:
    """The ASGI app on the private port. `data_url` is where the public one is reached."""
    lambda_routes = _lambda_routes(services, bounds, Urls(services.registry, data_url))
    app = Starlette(
        routes=[*lambda_routes, *_v1_routes(services, bounds)],
        exception_handlers={404: _no_such_path, 405: _method_not_allowed},
    )
    gate = Gate(
        _OptionalSlash(app),
        services.authority,
        services.registry.policy,
        _dialect_of,
        2 * bounds.module_bytes_max,
    )
    return Discarding(Guard(gate, is_local=services.authority.is_local))


def _lambda_routes(services: Services, bounds: Bounds, urls: Urls) -> list[Route]:
    deployments = Deployments(services, bounds)
    listings = Listings(services.registry)
    versions = Versions(services.registry)
    invocations = Invocations(services, bounds)
    streaming = StreamingInvocations(services, invocations)
    event_configs = EventConfigs(services)
    aliases = AliasEndpoints(services.registry)
    concurrency = Concurrency(services.registry, bounds)
    provisions = Provisions(services.registry, bounds)
    permissions = Permissions(services.registry)
    provisioned = "/2019-09-30/functions/{name}/provisioned-concurrency"
    tags = TagEndpoints(services.registry)
    mappings = Mappings(services.registry)
    mapping = "/2015-03-31/event-source-mappings"
    function = _LAMBDA_FUNCTIONS + "/{name}"
    url = "/2021-10-31/functions/{name}/url"
    event_config = "/2019-09-25/functions/{name}/event-invoke-config"
    table: tuple[tuple[str, str, Endpoint], ...] = (
        # First, because routes are tried in order, and this one is called most.
        ("POST", f"{function}/invocations", invocations.invoke),
        ("POST", _LAMBDA_FUNCTIONS, deployments.create),
        ("GET", _LAMBDA_FUNCTIONS, listings.list),
        ("GET", function, listings.get),
        ("DELETE", function, deployments.delete),
        ("PUT", f"{function}/code", deployments.update_code),
        ("GET", f"{function}/configuration", listings.get_configuration),
        ("PUT", f"{function}/configuration", deployments.update_configuration),
        ("POST", f"{function}/versions", versions.publish),
        ("GET", f"{function}/versions", versions.list),
        ("POST", f"{function}/aliases", aliases.create),
        ("GET", f"{function}/aliases", aliases.list),
        ("GET", f"{function}/aliases/{{alias}}", aliases.get),
        ("PUT", f"{function}/aliases/{{alias}}", aliases.update),
        ("DELETE", f"{function}/aliases/{{alias}}", aliases.delete),
        ("POST", f"{function}/policy", permissions.add),
        ("GET", f"{function}/policy", permissions.get),
        ("DELETE", f"{function}/policy/{{sid}}", permissions.remove),
        (
            "POST",
            "/2021-11-15/functions/{name}/response-streaming-invocations",
            streaming.invoke,
        ),
        (
            "GET",
            "/2020-06-30/functions/{name}/code-signing-config",
            listings.code_signing_config,
        ),
        ("PUT", event_config, event_configs.put),
        ("POST", event_config, event_configs.update),
        ("GET", event_config, event_configs.get),
        ("DELETE", event_config, event_configs.delete),
        ("GET", f"{event_config}/list", event_configs.list),
        ("PUT", "/2017-10-31/functions/{name}/concurrency", concurrency.put),
        ("DELETE", "/2017-10-31/functions/{name}/concurrency", concurrency.delete),
        ("GET", "/2019-09-30/functions/{name}/concurrency", concurrency.get),
        ("PUT", provisioned, provisions.put),
        ("GET", provisioned, provisions.get),
        ("DELETE", provisioned, provisions.delete),
        ("GET", "/2016-08-19/account-settings", concurrency.account),
        ("POST", url, urls.create),
        ("GET", url, urls.get),
        ("PUT", url, urls.update),
        ("DELETE", url, urls.delete),
        ("GET", f"{url}s", urls.list),
        ("POST", "/2017-03-31/tags/{name}", tags.add),
        ("DELETE", "/2017-03-31/tags/{name}", tags.remove),
        ("GET", "/2017-03-31/tags/{name}", tags.list),
        ("POST", mapping, mappings.create),
        ("GET", mapping, mappings.list),
        ("GET", f"{mapping}/{{uuid}}", mappings.get),
        ("PUT", f"{mapping}/{{uuid}}", mappings.update),
        ("DELETE", f"{mapping}/{{uuid}}", mappings.delete),
    )
    return _routes(table, LAMBDA)


def _v1_routes(services: Services, bounds: Bounds) -> list[Route]:
    functions = Functions(services, bounds)
    dead = DeadLetters(services)
    function = "/v1/functions/{name}"
    table: tuple[tuple[str, str, Endpoint], ...] = (
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
        ("GET", "/healthz", Health(services).read),
    )
    return _routes(table, V1)


def _routes(table: tuple[tuple[str, str, Endpoint], ...], dialect: Dialect) -> list[Route]:
    return [
        Route(path, Framed(endpoint, dialect), methods=[method]) for method, path, endpoint in table
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
