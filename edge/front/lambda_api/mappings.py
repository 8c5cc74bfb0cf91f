"""Event source mappings, of which this host has none: it has no queues and streams to map yet.

What a tool sends is read and judged as Lambda does, so that a wrong call is told apart from one
that would be right on a host with event sources.

Neighbours: `registry/` says whether the function is there.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.lambda_api.inputs import (
    Document,
    flag,
    integer,
    listed,
    max_items,
    optional_text,
    structure,
    text,
)
from edge.front.services import Registry
from edge.model.errors import InvalidConfiguration, InvalidRequest, NotFound
from edge.model.ids import parse_name
from edge.model.limits import KIB

BODY_BYTES_MAX = 64 * KIB
STARTING_POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
RESPONSE_TYPES = ("ReportBatchItemFailures",)
STREAMS = ("kinesis", "dynamodb")
"""Services whose mappings must say where they start."""

_BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "BatchSize": (1, 10_000),
        "MaximumBatchingWindowInSeconds": (0, 300),
        "ParallelizationFactor": (1, 10),
        "MaximumRecordAgeInSeconds": (-1, 604_800),
        "MaximumRetryAttempts": (-1, 10_000),
        "TumblingWindowInSeconds": (0, 900),
    }
)
_SOURCE = re.compile(r"arn:aws[a-zA-Z0-9-]*:([a-zA-Z0-9-]+):[a-z0-9-]*:(?:\d{12})?:\S+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Mappings:
    """The endpoints under /2015-03-31/event-source-mappings."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def create(self, request: Request) -> Response:
        """POST: InvalidParameterValueException, for there is nothing to map."""
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        service = _service(members)
        _check(members)
        if service in STREAMS and optional_text(members, "StartingPosition") is None:
            raise InvalidRequest(f"StartingPosition is missing: a mapping of {service} needs one")
        named = optional_text(members, "FunctionName")
        if named is None:
            raise InvalidRequest("FunctionName is missing")
        self._find(named)
        raise InvalidConfiguration(
            f"this host has no event sources of the kind {service!r} yet: send events with Invoke,"
            " or to the function's URL"
        )

    async def get(self, request: Request) -> Response:
        """GET …/UUID → 404."""
        _raise_unknown(request)

    async def update(self, request: Request) -> Response:
        """PUT …/UUID → 404."""
        _check(parse_object(await body_of(request, BODY_BYTES_MAX)))
        _raise_unknown(request)

    async def delete(self, request: Request) -> Response:
        """DELETE …/UUID → 404."""
        _raise_unknown(request)

    async def list(self, request: Request) -> Response:
        """GET ?EventSourceArn&FunctionName&Marker&MaxItems → 200: a page of none."""
        query = request.query_params
        max_items(query.get("MaxItems"))
        if query.get("Marker"):
            raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
        if arn := query.get("EventSourceArn"):
            _service_of(arn)
        if named := query.get("FunctionName"):
            self._find(named)
        return json_response(200, {"EventSourceMappings": []})

    def _find(self, reference: str) -> None:
        """Raises NotFound for a function, version or alias that is not there."""
        self._registry.primary(*parse_name(reference))


def _service(members: Document) -> str:
    """Which service's events are to be mapped. Raises InvalidRequest."""
    arn = optional_text(members, "EventSourceArn")
    self_managed = structure(members, "SelfManagedEventSource")
    if (arn is None) is not bool(self_managed):
        raise InvalidRequest("give either EventSourceArn or SelfManagedEventSource")
    return "kafka" if arn is None else _service_of(arn)


def _service_of(arn: str) -> str:
    found = _SOURCE.fullmatch(arn)
    if found is None:
        raise InvalidRequest(f"EventSourceArn must be an ARN, not {arn[:80]!r}")
    return found[1]


def _check(members: Document) -> None:
    """Raises InvalidRequest for a member that no mapping could have."""
    for member, (lowest, highest) in _BOUNDS.items():
        if not lowest <= integer(members, member, lowest) <= highest:
            raise InvalidRequest(f"{member} must be from {lowest} to {highest}")
    if 0 <= integer(members, "MaximumRecordAgeInSeconds", -1) < 60:
        raise InvalidRequest("MaximumRecordAgeInSeconds must be -1, or from 60 to 604800")
    position = text(members, "StartingPosition")
    if position and position not in STARTING_POSITIONS:
        raise InvalidRequest(f"StartingPosition must be one of {', '.join(STARTING_POSITIONS)}")
    if position == "AT_TIMESTAMP" and members.get("StartingPositionTimestamp") is None:
        raise InvalidRequest("StartingPositionTimestamp is missing")
    for each in listed(members, "FunctionResponseTypes"):
        if each not in RESPONSE_TYPES:
            raise InvalidRequest(f"FunctionResponseTypes cannot hold {each!r:.80}")
    for member in ("Enabled", "BisectBatchOnFunctionError"):
        flag(members, member)


def _raise_unknown(request: Request) -> NoReturn:
    mapping = request.path_params["uuid"]
    if not _UUID.fullmatch(mapping):
        raise InvalidRequest(f"{mapping[:80]!r} is not the UUID of an event source mapping")
    raise NotFound(f"there is no event source mapping {mapping}")
