"""FunctionEventInvokeConfig: how async events of a function are tried again, and who is told.

Neighbours: `invoke/runner.py` follows these rules; `storage/events.py` keeps them.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionEventInvokeConfig.html.
"""

from dataclasses import replace
from time import time_ns

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.lambda_api.inputs import (
    PAGE_MAX,
    Document,
    Reference,
    integer,
    max_items,
    reference,
    structure,
    text,
)
from edge.front.services import Services
from edge.invoke.destinations import check_destination
from edge.model.async_event import AGE_S_MAX, AGE_S_MIN, RETRIES_MAX, EventConfig
from edge.model.errors import InvalidRequest, NotFound
from edge.model.ids import function_arn
from edge.model.limits import KIB

BODY_BYTES_MAX = 16 * KIB


class EventConfigs:
    """The endpoints under F/N/event-invoke-config."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def put(self, request: Request) -> Response:
        """PUT: set all rules; what is left out is the default."""
        named = self._existing(request)
        return await self._store(request, EventConfig(named.name, named.version))

    async def update(self, request: Request) -> Response:
        """POST: change the rules that are named."""
        return await self._store(request, self._found(self._existing(request)))

    async def get(self, request: Request) -> Response:
        """GET: the rules; 404 when none were set."""
        return json_response(200, document(self._found(self._existing(request))))

    async def delete(self, request: Request) -> Response:
        """DELETE: back to the defaults; 404 when none were set."""
        named = self._existing(request)
        if not await self._services.events.remove_config(named.name, named.version):
            raise _none_set(named)
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        """GET …/list?Marker&MaxItems: the rules of all qualifiers of a function."""
        name = self._existing(request).name
        limit = max_items(request.query_params.get("MaxItems"), PAGE_MAX)
        found = self._services.events.configs(
            name, request.query_params.get("Marker", ""), limit + 1
        )
        page = found[:limit]
        listing: dict[str, object] = {"FunctionEventInvokeConfigs": [document(c) for c in page]}
        if len(found) > limit:
            listing["NextMarker"] = page[-1].qualifier
        return json_response(200, listing)

    def _existing(self, request: Request) -> Reference:
        named = reference(request)
        self._services.registry.resolve(named.name, named.version)
        return named

    def _found(self, named: Reference) -> EventConfig:
        config = self._services.events.config(named.name, named.version)
        if config is None:
            raise _none_set(named)
        return config

    async def _store(self, request: Request, config: EventConfig) -> Response:
        changed = changed_by(config, parse_object(await body_of(request, BODY_BYTES_MAX)))
        changed = replace(changed, modified_ms=time_ns() // 1_000_000)
        await self._services.events.put_config(changed)
        return json_response(200, document(changed))


def changed_by(config: EventConfig, members: Document) -> EventConfig:
    """`config` with what a request's document names. Raises InvalidRequest."""
    retries = integer(members, "MaximumRetryAttempts", config.retries_max)
    age_s = integer(members, "MaximumEventAgeInSeconds", config.age_s_max)
    if not 0 <= retries <= RETRIES_MAX:
        raise InvalidRequest(f"MaximumRetryAttempts must be from 0 to {RETRIES_MAX}")
    if not AGE_S_MIN <= age_s <= AGE_S_MAX:
        raise InvalidRequest(f"MaximumEventAgeInSeconds must be from {AGE_S_MIN} to {AGE_S_MAX}")
    changed = replace(config, retries_max=retries, age_s_max=age_s)
    destinations = structure(members, "DestinationConfig")
    if "OnSuccess" in destinations:
        changed = replace(changed, on_success=_destination(destinations, "OnSuccess"))
    if "OnFailure" in destinations:
        changed = replace(changed, on_failure=_destination(destinations, "OnFailure"))
    return changed


def document(config: EventConfig) -> dict[str, object]:
    """A FunctionEventInvokeConfig."""
    return {
        "LastModified": config.modified_ms / 1_000,
        "FunctionArn": function_arn(config.function, config.qualifier),
        "MaximumRetryAttempts": config.retries_max,
        "MaximumEventAgeInSeconds": config.age_s_max,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }


def _destination(destinations: Document, member: str) -> str | None:
    named = text(structure(destinations, member), "Destination")
    return check_destination(named) if named else None


def _none_set(named: Reference) -> NotFound:
    return NotFound(f"{named.name}:{named.version} has no event invoke config")
