"""FunctionUrlConfig: who may call a function's URL, and what pages of other origins may do.

Every function answers on the data plane at /NAME[:QUALIFIER] with or without a config; the config
says how. Without one it is AuthType NONE, and CORS is left to the function.

Neighbours: `registry/` keeps them with the function; `front/cors.py` and the doors follow them.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from time import time_ns
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.lambda_api.documents import lambda_time
from edge.front.lambda_api.inputs import (
    PAGE_MAX,
    Document,
    Reference,
    flag,
    integer,
    listed,
    max_items,
    reference,
    structure,
    text,
    unqualified,
)
from edge.front.services import Registry
from edge.model.errors import Conflict, InvalidRequest, NotFound
from edge.model.function import SharedSettings
from edge.model.ids import LATEST, function_arn
from edge.model.limits import KIB
from edge.model.url import AuthType, Cors, InvokeMode, UrlConfig

BODY_BYTES_MAX = 256 * KIB
URLS_MAX = 100
"""Of one function; Lambda has one for each alias, and no limit of its own."""
ITEMS_MAX = 100
MAX_AGE_S_MAX = 86_400
_METHOD = re.compile(r"\*|DELETE|GET|HEAD|PATCH|POST|PUT")
_ORIGIN = re.compile(r"\*|[!-+\--~]{1,253}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1024}")
Choice = TypeVar("Choice", AuthType, InvokeMode)


class Urls:
    """The endpoints under /2021-10-31/functions/N/url."""

    def __init__(self, registry: Registry, data_url: str) -> None:
        """`data_url` is where the data plane is reached."""
        self._registry = registry
        self._data_url = data_url.rstrip("/")

    async def create(self, request: Request) -> Response:
        """POST → 201; 409 where there is one."""
        named = self._existing(request)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        if "AuthType" not in members:
            raise InvalidRequest("AuthType is missing: give NONE or AWS_IAM")
        now_ms = time_ns() // 1_000_000
        made = changed_by(UrlConfig(named.version, AuthType.NONE, now_ms, now_ms), members)

        def create(stands: UrlConfig | None) -> UrlConfig:
            if stands is not None:
                raise Conflict(f"{named.label} has a URL config: update it")
            return made

        return json_response(201, self._document(named.name, self._put(named, create)))

    async def update(self, request: Request) -> Response:
        """PUT → 200: change what is named."""
        named = self._existing(request)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))

        def update(stands: UrlConfig | None) -> UrlConfig:
            if stands is None:
                raise _none_set(named)
            return replace(changed_by(stands, members), modified_ms=time_ns() // 1_000_000)

        return json_response(200, self._document(named.name, self._put(named, update)))

    async def get(self, request: Request) -> Response:
        """GET → 200; 404 where none was made."""
        named = self._existing(request)
        url = self._registry.get(named.name).shared.url(named.version)
        if url is None:
            raise _none_set(named)
        return json_response(200, self._document(named.name, url))

    async def delete(self, request: Request) -> Response:
        """DELETE → 204; 404 where none was made."""
        named = reference(request)

        def removed(shared: SharedSettings) -> SharedSettings:
            if shared.url(named.version) is None:
                raise _none_set(named)
            others = tuple(url for url in shared.urls if url.qualifier != named.version)
            return replace(shared, urls=others)

        self._registry.share(named.name, removed)
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        """GET …/urls?Marker&MaxItems → 200, in order of qualifier."""
        name = unqualified(request)
        limit = max_items(request.query_params.get("MaxItems"), PAGE_MAX)
        after = request.query_params.get("Marker") or ""
        found = [url for url in self._registry.get(name).shared.urls if url.qualifier > after]
        document: dict[str, object] = {
            "FunctionUrlConfigs": [self._document(name, url) for url in found[:limit]]
        }
        if len(found) > limit:
            document["NextMarker"] = found[limit - 1].qualifier
        return json_response(200, document)

    def _existing(self, request: Request) -> Reference:
        named = reference(request)
        if named.version.isdecimal():
            raise InvalidRequest("a numbered version has no URL of its own: make an alias for it")
        self._registry.resolve(named.name, named.version)
        return named

    def _put(self, named: Reference, change: Callable[[UrlConfig | None], UrlConfig]) -> UrlConfig:
        """Store what `change` makes of the qualifier's config."""

        def put(shared: SharedSettings) -> SharedSettings:
            changed = shared.with_url(change(shared.url(named.version)))
            if len(changed.urls) > URLS_MAX:
                raise InvalidRequest(f"a function has at most {URLS_MAX} URL configs")
            return changed

        stored = self._registry.share(named.name, put).url(named.version)
        assert stored is not None
        return stored

    def _document(self, name: str, url: UrlConfig) -> dict[str, object]:
        qualifier = None if url.qualifier == LATEST else url.qualifier
        place = f"{name}:{qualifier}" if qualifier else name
        document: dict[str, object] = {
            "FunctionUrl": f"{self._data_url}/{place}/",
            "FunctionArn": function_arn(name, qualifier),
            "AuthType": url.auth_type,
            "InvokeMode": url.invoke_mode,
            "CreationTime": lambda_time(url.created_ms),
            "LastModifiedTime": lambda_time(url.modified_ms),
        }
        if url.cors is not None:
            document["Cors"] = _cors_document(url.cors)
        return document


def changed_by(url: UrlConfig, members: Document) -> UrlConfig:
    """`url` with what a request's document names; an empty `Cors` takes it away.

    Raises InvalidRequest.
    """
    url = replace(
        url,
        auth_type=_choice(members, "AuthType", url.auth_type),
        invoke_mode=_choice(members, "InvokeMode", url.invoke_mode),
    )
    if members.get("Cors") is not None:
        cors = structure(members, "Cors")
        url = replace(url, cors=_cors_from(cors) if cors else None)
    return url


def _choice(members: Document, member: str, current: Choice) -> Choice:
    kind = type(current)
    try:
        return kind(text(members, member, current))
    except ValueError:
        raise InvalidRequest(f"{member} must be one of {', '.join(kind)}") from None


def _cors_from(members: Document) -> Cors:
    max_age_s = integer(members, "MaxAge", 0)
    if not 0 <= max_age_s <= MAX_AGE_S_MAX:
        raise InvalidRequest(f"MaxAge must be from 0 to {MAX_AGE_S_MAX}")
    return Cors(
        allow_credentials=flag(members, "AllowCredentials"),
        allow_headers=_texts(members, "AllowHeaders", _HEADER),
        allow_methods=_texts(members, "AllowMethods", _METHOD),
        allow_origins=_texts(members, "AllowOrigins", _ORIGIN),
        expose_headers=_texts(members, "ExposeHeaders", _HEADER),
        max_age_s=max_age_s,
    )


def _texts(members: Document, member: str, allowed: re.Pattern[str]) -> tuple[str, ...]:
    found = listed(members, member)
    if len(found) > ITEMS_MAX:
        raise InvalidRequest(f"{member} has at most {ITEMS_MAX} items")
    for each in found:
        if not isinstance(each, str) or not allowed.fullmatch(each):
            raise InvalidRequest(f"{member} cannot hold {each!r:.80}")
    return tuple(str(each) for each in found)


def _cors_document(cors: Cors) -> dict[str, object]:
    document: dict[str, object] = {
        "AllowCredentials": cors.allow_credentials,
        "AllowHeaders": list(cors.allow_headers),
        "AllowMethods": list(cors.allow_methods),
        "AllowOrigins": list(cors.allow_origins),
        "ExposeHeaders": list(cors.expose_headers),
        "MaxAge": cors.max_age_s,
    }
    return {name: value for name, value in document.items() if value or name == "MaxAge"}


def _none_set(named: Reference) -> NotFound:
    return NotFound(f"{named.label} has no URL config")
