"""Reserved concurrency, and what the account, which is this host, has of it.

A reservation is a ceiling: 0 turns every event away, whichever version it is for. Nothing is kept
free for a function, so what is unreserved is told and not enforced.

Neighbours: `registry/` keeps the number with the function, `invoke/invoker.py` admits by it.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.lambda_api.inputs import integer, unqualified
from edge.front.services import Bounds, Registry
from edge.model.errors import InvalidRequest
from edge.model.function import SharedSettings
from edge.model.limits import KIB

BODY_BYTES_MAX = 4 * KIB
CODE_BYTES_MAX = 75 << 30
"""Lambda's own quota, for clients that subtract; here the disk is the limit."""


class Concurrency:
    """The endpoints under …/N/concurrency, and the account's settings."""

    def __init__(self, registry: Registry, bounds: Bounds) -> None:
        """`bounds.concurrency_max` is what the whole host runs at once."""
        self._registry = registry
        self._bounds = bounds

    async def put(self, request: Request) -> Response:
        """PUT → 200."""
        name = unqualified(request)
        document = parse_object(await body_of(request, BODY_BYTES_MAX))
        reserved = integer(document, "ReservedConcurrentExecutions", -1)
        if not 0 <= reserved <= self._bounds.concurrency_max:
            raise InvalidRequest(
                "ReservedConcurrentExecutions must be from 0 to"
                f" {self._bounds.concurrency_max}, which this host runs at once"
            )
        return self._told(self._reserve(name, reserved))

    async def get(self, request: Request) -> Response:
        """GET → 200; without a reservation an empty document."""
        return self._told(self._registry.get(unqualified(request)).shared)

    async def delete(self, request: Request) -> Response:
        """DELETE → 204."""
        self._reserve(unqualified(request), None)
        return Response(status_code=204)

    async def account(self, _request: Request) -> Response:
        """GET account-settings → 200."""
        census = self._registry.census()
        concurrency_max = self._bounds.concurrency_max
        limit = {
            "TotalCodeSize": CODE_BYTES_MAX,
            "CodeSizeUnzipped": self._bounds.module_bytes_max,
            "CodeSizeZipped": self._bounds.module_bytes_max,
            "ConcurrentExecutions": concurrency_max,
            "UnreservedConcurrentExecutions": max(0, concurrency_max - census.reserved),
        }
        usage = {"TotalCodeSize": census.code_bytes, "FunctionCount": census.functions}
        return json_response(200, {"AccountLimit": limit, "AccountUsage": usage})

    def _reserve(self, name: str, reserved: int | None) -> SharedSettings:
        return self._registry.share(name, lambda stands: replace(stands, concurrency_max=reserved))

    def _told(self, shared: SharedSettings) -> Response:
        reserved = shared.concurrency_max
        document = {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
        return json_response(200, document)
