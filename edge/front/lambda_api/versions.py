"""PublishVersion and ListVersionsByFunction.

Neighbours: `registry/` numbers and keeps the versions, `documents.py` writes them.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html.
"""

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.faults import PreconditionFailed
from edge.front.lambda_api.documents import code_sha256, configuration
from edge.front.lambda_api.inputs import (
    NUMBER_DIGITS_MAX,
    Document,
    max_items,
    optional_text,
    reference,
    text,
)
from edge.front.lambda_api.settings import refuse_unsupported
from edge.front.services import Registry
from edge.model.errors import Conflict, InvalidConfiguration, InvalidRequest
from edge.model.function import DESCRIPTION_CHARS_MAX
from edge.model.ids import LATEST
from edge.model.limits import KIB

DOCUMENT_BYTES_MAX = 16 * KIB


class Versions:
    """The endpoints of numbered versions."""

    def __init__(self, registry: Registry) -> None:
        """Read from and publish to `registry`."""
        self._registry = registry

    async def publish(self, request: Request) -> Response:
        """POST F/N/versions → 201."""
        name = reference(request).name
        body = await body_of(request, DOCUMENT_BYTES_MAX)
        document = parse_object(body) if body else {}
        refuse_unsupported(document)
        latest = self._registry.get(name)
        self._registry.progress.check_idle(name)
        revision_id = optional_text(document, "RevisionId") or latest.revision_id
        expected = optional_text(document, "CodeSha256")
        if expected is not None and expected != code_sha256(latest):
            raise InvalidConfiguration(
                f"CodeSha256 is not that of the code of {name}: {code_sha256(latest)}"
            )
        try:
            version = self._registry.publish(
                name, description=_description(document), revision_id=revision_id
            )
        except Conflict as error:
            raise PreconditionFailed(error.message) from error
        return json_response(201, configuration(version, version.version))

    async def list(self, request: Request) -> Response:
        """GET F/N/versions?Marker&MaxItems → 200: the latest, then the numbers in order."""
        name = reference(request).name
        latest = self._registry.get(name)
        marker = request.query_params.get("Marker") or ""
        limit = max_items(request.query_params.get("MaxItems"))
        page = [] if marker else [latest]
        rest = limit - len(page)
        found = self._registry.versions(name, after=_number(marker), limit=rest + 1)
        page += found[:rest]
        document: dict[str, object] = {
            "Versions": [configuration(version, version.version) for version in page]
        }
        if len(found) > rest:
            last = page[-1].version
            document["NextMarker"] = "0" if last == LATEST else last
        return json_response(200, document)


def _description(document: Document) -> str | None:
    if document.get("Description") is None:
        return None
    description = text(document, "Description")
    if len(description) > DESCRIPTION_CHARS_MAX:
        raise InvalidConfiguration(
            f"Description must have at most {DESCRIPTION_CHARS_MAX} characters"
        )
    return description


def _number(marker: str) -> int:
    """The number behind which a page begins; 0 for the first."""
    if not marker:
        return 0
    if not (marker.isascii() and marker.isdecimal() and len(marker) <= NUMBER_DIGITS_MAX):
        raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
    return int(marker)
