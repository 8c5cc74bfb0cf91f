"""TagResource, UntagResource and ListTags, and the rules of tags.

Neighbours: `deployments.py` reads the tags of a new function here; `registry/` keeps them.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.lambda_api.inputs import Document, texts, unqualified
from edge.front.services import Registry
from edge.model.errors import InvalidRequest
from edge.model.function import SharedSettings
from edge.model.limits import KIB

BODY_BYTES_MAX = 64 * KIB
TAGS_MAX = 50
KEY_CHARS_MAX = 128
VALUE_CHARS_MAX = 256
_RESERVED_PREFIX = "aws:"

Tags = tuple[tuple[str, str], ...]


class TagEndpoints:
    """The endpoints under /2017-03-31/tags/ARN. Only a function has tags, no version of it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def list(self, request: Request) -> Response:
        """GET → 200."""
        return json_response(
            200, {"Tags": dict(self._registry.get(unqualified(request)).shared.tags)}
        )

    async def add(self, request: Request) -> Response:
        """POST → 204: what is there under the same key is replaced."""
        name = unqualified(request)
        new = tags_from(parse_object(await body_of(request, BODY_BYTES_MAX)))

        def tagged(shared: SharedSettings) -> SharedSettings:
            return replace(shared, tags=_bounded({**dict(shared.tags), **dict(new)}))

        self._registry.share(name, tagged)
        return Response(status_code=204)

    async def remove(self, request: Request) -> Response:
        """DELETE ?tagKeys=… → 204; keys that are not there are fine."""
        name = unqualified(request)
        keys = frozenset(request.query_params.getlist("tagKeys"))
        if not keys:
            raise InvalidRequest("tagKeys must name the tags to remove")

        def untagged(shared: SharedSettings) -> SharedSettings:
            return replace(shared, tags=tuple(tag for tag in shared.tags if tag[0] not in keys))

        self._registry.share(name, untagged)
        return Response(status_code=204)


def tags_from(document: Document) -> Tags:
    """The `Tags` of a document; raises InvalidRequest for what cannot be a tag."""
    tags = texts(document, "Tags")
    for key, value in tags:
        if not 1 <= len(key) <= KEY_CHARS_MAX or len(value) > VALUE_CHARS_MAX:
            raise InvalidRequest(
                f"a tag has a key of 1 to {KEY_CHARS_MAX} characters and a value of at most"
                f" {VALUE_CHARS_MAX}: {key[:40]!r} has not"
            )
        if key.lower().startswith(_RESERVED_PREFIX):
            raise InvalidRequest(f"tag keys do not begin with {_RESERVED_PREFIX!r}: {key!r} does")
    return _bounded(dict(tags))


def _bounded(tags: dict[str, str]) -> Tags:
    if len(tags) > TAGS_MAX:
        raise InvalidRequest(f"a function has at most {TAGS_MAX} tags")
    return tuple(sorted(tags.items()))
