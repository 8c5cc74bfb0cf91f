"""Deploy, list, show and delete functions.

Neighbours: `deploy/` makes them, `registry/` knows them, `info.py` writes the documents.
"""

import asyncio
import hashlib
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import decode_base64, parse_json
from edge.front.endpoints import body_of, json_response
from edge.front.services import Bounds, Services
from edge.front.v1.info import info, ready
from edge.front.v1.query import function_name, whole
from edge.front.v1.settings import GRANT, actions_of, settings_from, shared_from
from edge.model.cbor import CborError, decode
from edge.model.errors import InvalidContent, InvalidRequest, NotFound
from edge.model.function import Settings, SharedSettings, Version
from edge.model.ids import is_name
from edge.model.limits import MIB

PAGE_DEFAULT = 100
PAGE_MAX = 1_000
_CBOR = "application/cbor"
_KEYS = frozenset(("module", "digest", "settings"))


class Upload(NamedTuple):
    """A deploy's body: the module, its SHA-256 in hex, and the settings document if any.

    `module` is None where only the digest was sent, of the module that is live already.
    """

    module: bytes | None
    digest: str
    settings: object


class Functions:
    """The endpoints under `/v1/functions`."""

    def __init__(self, services: Services, bounds: Bounds) -> None:
        """`bounds.module_bytes_max` limits an upload."""
        self._services = services
        self._bounds = bounds

    async def put(self, request: Request) -> Response:
        """PUT: 201 created, 200 updated, 200 with `"changed": false` when it was live already.

        Without `settings` a function that exists keeps its own. `digest` in the module's place
        says that the live module stays: 404 when it is another.
        """
        name = request.path_params["name"]
        if not is_name(name):
            raise InvalidRequest(
                f"{name[:80]!r} is not a function name: use 1 to 64 letters, digits, '-' or '_'"
            )
        current = self._find(name)
        upload = await self._upload(request)
        settings = current.settings if current else Settings()
        if upload.settings is not None:
            settings = settings_from(upload.settings, settings)
        change = partial(shared_from, upload.settings)
        before = current.shared if current else SharedSettings()
        shared = change(before)
        for action in actions_of(before, shared):
            request.state.permit(action)
        if settings.grants != (current.settings.grants if current else ()):
            request.state.permit(GRANT)
        if current and current.artifact.digest == upload.digest and current.settings == settings:
            if current.shared == shared:
                return json_response(200, {**info(current), "changed": False})
            shared = self._services.registry.share(name, change)
            return json_response(200, {**info(replace(current, shared=shared)), "changed": True})
        deployer = self._services.deployer
        if upload.module is not None:
            version = await deployer.deploy(name, upload.module, settings, change=change)
        elif current and current.artifact.digest == upload.digest:
            version = await deployer.configure(name, settings, change=change)
        else:
            raise NotFound(f"{name} has no module {upload.digest[:12]!r}: send the module itself")
        return json_response(200 if current else 201, {**info(version), "changed": True})

    async def list(self, request: Request) -> Response:
        """GET: a page of functions by name; `next` is the `after` of the following page."""
        after = function_name(request, "after") or ""
        limit = whole(request, "limit", PAGE_DEFAULT, (1, PAGE_MAX))
        found = self._services.registry.list(after=after, limit=limit + 1)
        page = found[:limit]
        document = {
            "functions": [info(version) for version in page],
            "next": page[-1].function if len(found) > limit else None,
        }
        return json_response(200, document)

    async def get(self, request: Request) -> Response:
        """GET one: its info document, with what waits for its events on this worker."""
        version = self._services.registry.get(request.path_params["name"])
        readiness = self._services.invoker.readiness(version.function)
        return json_response(200, {**info(version), "ready": ready(readiness)})

    async def delete(self, request: Request) -> Response:
        """DELETE: 204."""
        await self._services.deployer.delete(request.path_params["name"])
        return Response(status_code=204)

    def _find(self, name: str) -> Version | None:
        try:
            return self._services.registry.get(name)
        except NotFound:
            return None

    async def _upload(self, request: Request) -> Upload:
        is_cbor = request.headers.get("content-type", "").partition(";")[0].strip() == _CBOR
        # Base64 is 4/3 of the module; around either there is a document.
        bytes_max = self._bounds.module_bytes_max
        body = await body_of(request, (bytes_max if is_cbor else bytes_max * 4 // 3) + MIB)
        return await asyncio.to_thread(read_upload, body, is_cbor)


def read_upload(body: bytes, is_cbor: bool) -> Upload:
    """Read a deploy's body; it may be large, so this runs on a thread. Raises InvalidContent."""
    try:
        document = decode(body) if is_cbor else parse_json(body)
    except CborError as error:
        raise InvalidContent(f"the body is not valid CBOR: {error}") from error
    if not isinstance(document, dict) or not _KEYS.issuperset(document):
        raise InvalidContent('the body must be a map of "module" and, if you like, "settings"')
    digest, module = document.get("digest"), document.get("module")
    if isinstance(digest, str) and module is None:
        return Upload(None, digest, document.get("settings"))
    if isinstance(module, str) and not is_cbor:
        module = decode_base64(module)
    if not isinstance(module, bytes):
        raise InvalidContent(f'"module" must be {"a byte string" if is_cbor else "base64 text"}')
    return Upload(module, hashlib.sha256(module).hexdigest(), document.get("settings"))
