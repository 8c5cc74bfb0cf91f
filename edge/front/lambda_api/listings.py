"""GetFunction, GetFunctionConfiguration, GetFunctionCodeSigningConfig and ListFunctions.

Neighbours: `registry/` knows, `documents.py` writes.
"""

from collections.abc import Iterator
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from edge.front.endpoints import json_response
from edge.front.lambda_api.documents import configuration, function
from edge.front.lambda_api.inputs import (
    NUMBER_DIGITS_MAX,
    PAGE_MAX,
    Reference,
    max_items,
    reference,
)
from edge.front.services import Registry
from edge.model.errors import InvalidRequest, NotFound
from edge.model.function import Version
from edge.model.ids import LATEST, is_name
from edge.model.progress import Progress


class Listings:
    """The endpoints that only read."""

    def __init__(self, registry: Registry) -> None:
        """Read from `registry`."""
        self._registry = registry

    async def get(self, request: Request) -> Response:
        """GET F/N → 200."""
        named = reference(request)
        version, progress = self._look(named)
        return json_response(200, function(version, named.qualifier, progress))

    async def get_configuration(self, request: Request) -> Response:
        """GET F/N/configuration → 200."""
        named = reference(request)
        version, progress = self._look(named)
        return json_response(200, configuration(version, named.qualifier, progress))

    def _look(self, named: Reference) -> tuple[Version, Progress | None]:
        """What is there under a name, and what is being made of it. Raises NotFound."""
        if named.version != LATEST:
            return self._registry.primary(named.name, named.version), None
        try:
            latest = self._registry.resolve(named.name, LATEST)
        except NotFound:
            progress = self._registry.progress.find(named.name, None)
            if progress is None or progress.draft is None:
                raise
            return progress.draft, progress
        return latest, self._registry.progress.find(named.name, latest)

    async def code_signing_config(self, request: Request) -> Response:
        """GET F/N/code-signing-config → 200: no function has one; Terraform asks for each."""
        name = self._registry.get(reference(request).name).function
        return json_response(200, {"CodeSigningConfigArn": "", "FunctionName": name})

    async def list(self, request: Request) -> Response:
        """GET F?Marker&MaxItems&FunctionVersion → 200; the marker is where the page ended.

        With `FunctionVersion=ALL` each numbered version is an entry, too.
        """
        query = request.query_params
        wanted = query.get("FunctionVersion")
        if wanted not in (None, "ALL"):
            raise InvalidRequest("FunctionVersion must be ALL")
        marker = _marker(query.get("Marker") or "")
        limit = max_items(query.get("MaxItems"))
        if wanted is None:
            found = [*self._registry.list(after=marker[0], limit=limit + 1)]
        else:
            found = list(islice(self._all(*marker), limit + 1))
        document: dict[str, object] = {
            "Functions": [
                configuration(version, version.version if wanted else None)
                for version in found[:limit]
            ]
        }
        if len(found) > limit:
            last = found[limit - 1]
            document["NextMarker"] = f"{last.function}:{last.version}" if wanted else last.function
        return json_response(200, document)

    def _all(self, name: str, number: int) -> Iterator[Version]:
        """Every version behind that number of that function: the latest, then the numbers."""
        while True:
            if name:
                while page := self._registry.versions(name, after=number, limit=PAGE_MAX):
                    yield from page
                    number = int(page[-1].version)
            following = self._registry.list(after=name, limit=1)
            if not following:
                return
            yield following[0]
            name, number = following[0].function, 0


def _marker(text: str) -> tuple[str, int]:
    """(function, number) that a page begins behind; raises InvalidRequest."""
    name, _, version = text.partition(":")
    number = "0" if version in ("", LATEST) else version
    is_number = number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS_MAX
    if (text and not is_name(name)) or not is_number:
        raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
    return name, int(number)
