"""GetFunction, GetFunctionConfiguration and ListFunctions.

Neighbours: `registry/` knows, `documents.py` writes.
"""

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.lambda_api.documents import configuration, function
from edge.front.lambda_api.inputs import reference
from edge.front.services import Registry
from edge.model.errors import InvalidRequest
from edge.model.ids import is_name

PAGE_DEFAULT = 50
PAGE_MAX = 50
MAX_ITEMS_MAX = 10_000


class Listings:
    """The endpoints that only read."""

    def __init__(self, registry: Registry) -> None:
        """Read from `registry`."""
        self._registry = registry

    async def get(self, request: Request) -> Response:
        """GET F/N → 200."""
        named = reference(request)
        version = self._registry.resolve(named.name, named.version)
        return json_response(200, function(version, named.qualifier))

    async def get_configuration(self, request: Request) -> Response:
        """GET F/N/configuration → 200."""
        named = reference(request)
        version = self._registry.resolve(named.name, named.version)
        return json_response(200, configuration(version, named.qualifier))

    async def list(self, request: Request) -> Response:
        """GET F?Marker&MaxItems&FunctionVersion → 200; the marker is the last name given."""
        query = request.query_params
        marker = query.get("Marker") or ""
        if marker and not is_name(marker):
            raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
        if query.get("FunctionVersion", "ALL") != "ALL":
            raise InvalidRequest("FunctionVersion must be ALL")
        limit = _max_items(query.get("MaxItems"))
        found = self._registry.list(after=marker, limit=limit + 1)
        document: dict[str, object] = {
            "Functions": [configuration(version) for version in found[:limit]]
        }
        if len(found) > limit:
            document["NextMarker"] = found[limit - 1].function
        return json_response(200, document)


def _max_items(text: str | None) -> int:
    if text is None:
        return PAGE_DEFAULT
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_ITEMS_MAX):
        raise InvalidRequest(f"MaxItems must be a number from 1 to {MAX_ITEMS_MAX}")
    return min(int(text[:9]), PAGE_MAX)
