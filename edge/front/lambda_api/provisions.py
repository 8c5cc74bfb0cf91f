"""Provisioned concurrency: how many sandboxes of a version or alias stand ready before events come.

A core module is restored from its snapshot in microseconds, so each is as good as ready; of a
component that many guests are started ahead on each worker, within `ready_max` and
`ready_memory_mb`. So what is asked for is told as allocated, and READY at once.

Neighbours: `registry/` keeps the number with the function, `invoke/provisions.py` follows it.
Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html.
"""

from dataclasses import replace
from time import time_ns

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.faults import NoProvision
from edge.front.lambda_api.documents import lambda_time
from edge.front.lambda_api.inputs import (
    PAGE_MAX,
    Reference,
    integer,
    max_items,
    reference,
    unqualified,
)
from edge.front.services import Bounds, Registry
from edge.model.errors import InvalidRequest
from edge.model.function import Provision, SharedSettings
from edge.model.ids import LATEST, function_arn
from edge.model.limits import KIB

BODY_BYTES_MAX = 4 * KIB


class Provisions:
    """The endpoints under /2019-09-30/functions/N/provisioned-concurrency."""

    def __init__(self, registry: Registry, bounds: Bounds) -> None:
        """`bounds.concurrency_max` is what the whole host runs at once."""
        self._registry = registry
        self._bounds = bounds

    async def put(self, request: Request) -> Response:
        """PUT ?Qualifier → 202."""
        named = _qualified(request)
        self._registry.primary(named.name, named.version)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        count = integer(members, "ProvisionedConcurrentExecutions", 0)
        if not 1 <= count <= self._bounds.concurrency_max:
            raise InvalidRequest(
                "ProvisionedConcurrentExecutions must be from 1 to"
                f" {self._bounds.concurrency_max}, which this host runs at once"
            )
        provision = Provision(named.version, count, time_ns() // 1_000_000)

        def provisioned(shared: SharedSettings) -> SharedSettings:
            kept = _others(shared, named.version)
            reserved, total = shared.concurrency_max, count + sum(each.count for each in kept)
            if reserved is not None and total > reserved:
                raise InvalidRequest(
                    f"{total} would be provisioned of {named.name}, which may run {reserved} at"
                    " once: raise its reserved concurrency first"
                )
            provisions = sorted((*kept, provision), key=lambda each: each.qualifier)
            return replace(shared, provisions=tuple(provisions))

        self._registry.share(named.name, provisioned)
        return json_response(202, _document(provision))

    async def get(self, request: Request) -> Response:
        """GET ?Qualifier → 200, or the list of all with ?List=ALL; 404 where there is none."""
        if request.query_params.get("List") == "ALL":
            return self._list(request)
        named = _qualified(request)
        shared = self._registry.get(named.name).shared
        return json_response(200, _document(_found(shared, named)))

    async def delete(self, request: Request) -> Response:
        """DELETE ?Qualifier → 204, also where there was none."""
        named = _qualified(request)
        self._registry.share(
            named.name,
            lambda shared: replace(shared, provisions=_others(shared, named.version)),
        )
        return Response(status_code=204)

    def _list(self, request: Request) -> Response:
        name = unqualified(request)
        limit = max_items(request.query_params.get("MaxItems"), PAGE_MAX)
        after = request.query_params.get("Marker") or ""
        found = [
            each for each in self._registry.get(name).shared.provisions if each.qualifier > after
        ]
        document: dict[str, object] = {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": function_arn(name, each.qualifier), **_document(each)}
                for each in found[:limit]
            ]
        }
        if len(found) > limit:
            document["NextMarker"] = found[limit - 1].qualifier
        return json_response(200, document)


def _qualified(request: Request) -> Reference:
    """The version or alias that is named; raises InvalidRequest for none, and for $LATEST."""
    named = reference(request)
    if named.qualifier is None or named.qualifier == LATEST:
        raise InvalidRequest("provisioned concurrency is for a version or an alias: give Qualifier")
    return named


def _others(shared: SharedSettings, qualifier: str) -> tuple[Provision, ...]:
    return tuple(each for each in shared.provisions if each.qualifier != qualifier)


def _found(shared: SharedSettings, named: Reference) -> Provision:
    for each in shared.provisions:
        if each.qualifier == named.version:
            return each
    raise NoProvision(f"{named.name}:{named.version} has no provisioned concurrency")


def _document(provision: Provision) -> dict[str, object]:
    return {
        "RequestedProvisionedConcurrentExecutions": provision.count,
        "AvailableProvisionedConcurrentExecutions": provision.count,
        "AllocatedProvisionedConcurrentExecutions": provision.count,
        "Status": "READY",
        "LastModified": lambda_time(provision.modified_ms),
    }
