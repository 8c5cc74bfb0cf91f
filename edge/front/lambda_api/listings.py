"""GetFunction, GetFunctionConfiguration, GetFunctionCodeSigningConfig and ListFunctions.

Neighbours: `registry/` knows, `documents.py` writes.
"""

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.lambda_api.documents import configuration, function
from edge.front.lambda_api.inputs import max_items, reference
from edge.front.services import Registry
from edge.model.errors import InvalidRequest
from edge.model.ids import is_name


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

    async def code_signing_config(self, request: Request) -> Response:
        """GET F/N/code-signing-config → 200: no function has one; Terraform asks for each."""
        name = self._registry.get(reference(request).name).function
        return json_response(200, {"CodeSigningConfigArn": "", "FunctionName": name})

    async def list(self, request: Request) -> Response:
        """GET F?Marker&MaxItems&FunctionVersion → 200; the marker is the last name given."""
        query = request.query_params
        marker = query.get("Marker") or ""
        if marker and not is_name(marker):
            raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
        if query.get("FunctionVersion", "ALL") != "ALL":
            raise InvalidRequest("FunctionVersion must be ALL")
        limit = max_items(query.get("MaxItems"))
        found = self._registry.list(after=marker, limit=limit + 1)
        document: dict[str, object] = {
            "Functions": [configuration(version) for version in found[:limit]]
        }
        if len(found) > limit:
            document["NextMarker"] = found[limit - 1].function
        return json_response(200, document)
