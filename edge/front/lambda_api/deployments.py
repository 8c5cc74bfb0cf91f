"""CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration and DeleteFunction.

Neighbours: `settings.py` reads the settings; `deploy/` finds or builds the module and deploys it,
and `deploy/updates.py` keeps what takes longer than a client waits.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from time import time_ns
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import decode_base64, parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.faults import PreconditionFailed
from edge.front.lambda_api.documents import configuration
from edge.front.lambda_api.inputs import (
    Document,
    flag,
    optional_text,
    reference,
    structure,
    text,
)
from edge.front.lambda_api.settings import (
    architectures_from,
    refuse_unsupported,
    settings_from,
)
from edge.front.lambda_api.tags import tags_from
from edge.front.services import Bounds, Services
from edge.model.errors import (
    Conflict,
    InvalidConfiguration,
    InvalidRequest,
)
from edge.model.function import (
    Artifact,
    GuestKind,
    Package,
    Settings,
    SnapshotReport,
    SnapshotState,
    Version,
)
from edge.model.ids import LATEST, parse_name
from edge.model.limits import KIB, MIB

CONFIGURATION_BYTES_MAX = 64 * KIB


class Deployments:
    """The endpoints that change functions."""

    def __init__(self, services: Services, bounds: Bounds) -> None:
        """`bounds.module_bytes_max` limits the archive and the module in it."""
        self._services = services
        self._bounds = bounds

    async def create(self, request: Request) -> Response:
        """POST F → 201; State is Pending where the build takes long."""
        document = await self._upload(request)
        name, _ = parse_name(text(document, "FunctionName"))
        if text(document, "PackageType", "Zip") != "Zip":
            raise InvalidConfiguration("PackageType must be Zip: container images do not run here")
        settings, tags = settings_from(document, Settings()), tags_from(document)
        archive = await self._archive(structure(document, "Code"))

        async def work() -> Version:
            code = await self._services.packages.open(archive, settings)
            made = await self._services.deployer.deploy(
                name,
                code.module,
                settings,
                package=code.package,
                must_exist=False,
                change=lambda stands: replace(stands, tags=tags),
            )
            return self._published(document, made)

        draft = await asyncio.to_thread(_draft, name, archive, settings)
        made = await self._services.updates.run(name, work, latest=None, draft=draft)
        if made is not None:
            return json_response(201, _told(made))
        progress = self._services.registry.progress.find(name, None)
        return json_response(201, configuration(draft, progress=progress))

    async def update_code(self, request: Request) -> Response:
        """PUT F/N/code → 200; LastUpdateStatus is InProgress where the build takes long."""
        name = reference(request).name
        document = await self._upload(request)
        current = self._services.registry.get(name)
        settings = current.settings
        if "Architectures" in document:
            settings = settings_from(
                {"Architectures": list(architectures_from(document, settings))}, settings
            )
        revision = self._revision(document, current)
        archive = await self._archive(document)
        packages, deployer = self._services.packages, self._services.deployer
        if flag(document, "DryRun"):
            await packages.open(archive, settings)
            return json_response(200, configuration(current))

        async def work() -> Version:
            code = await packages.open(archive, settings)
            try:
                made = await deployer.deploy(
                    name,
                    code.module,
                    settings,
                    package=code.package,
                    must_exist=True,
                    revision_id=revision,
                )
            except Conflict as error:
                raise PreconditionFailed(error.message) from error
            return self._published(document, made)

        return await self._updated(current, work)

    async def update_configuration(self, request: Request) -> Response:
        """PUT F/N/configuration → 200; LastUpdateStatus as for the code."""
        name = reference(request).name
        document = parse_object(await body_of(request, CONFIGURATION_BYTES_MAX))
        current = self._services.registry.get(name)
        revision = self._revision(document, current)
        settings = settings_from(document, current.settings)

        async def work() -> Version:
            try:
                return await self._reconfigured(current, settings, revision)
            except Conflict as error:
                raise PreconditionFailed(error.message) from error

        return await self._updated(current, work)

    async def delete(self, request: Request) -> Response:
        """DELETE F/N → 204."""
        named = reference(request)
        if named.qualifier == LATEST:
            self._services.registry.resolve(named.name, LATEST)
            raise InvalidRequest("$LATEST goes only with its function: leave out the qualifier")
        if named.qualifier is not None:
            self._services.registry.delete_version(named.name, named.qualifier)
        else:
            await self._services.deployer.delete(named.name)
        return Response(status_code=204)

    async def _updated(self, current: Version, work: Callable[[], Awaitable[Version]]) -> Response:
        """Do the work of an update: what it made, or what stands until it has."""
        name = current.function
        made = await self._services.updates.run(name, work, latest=current, draft=None)
        if made is not None:
            return json_response(200, _told(made))
        progress = self._services.registry.progress.find(name, current)
        return json_response(200, configuration(current, progress=progress))

    def _published(self, document: Document, version: Version) -> Version:
        """The version just deployed, numbered where `Publish` asks for it.

        A deploy that overtakes this one is not numbered in its place: that is a Conflict.
        """
        if not flag(document, "Publish"):
            return version
        return self._services.registry.publish(version.function, revision_id=version.revision_id)

    async def _upload(self, request: Request) -> Document:
        """A document with an archive in it, parsed on a thread: it may be 90 MB of JSON."""
        # Base64 is 4/3 of the archive, and there is a document around it.
        bytes_max = self._bounds.module_bytes_max * 4 // 3 + 1 * MIB
        body = await body_of(request, bytes_max)
        return await asyncio.to_thread(parse_object, body)

    async def _archive(self, document: Document) -> bytes:
        refuse_unsupported(document)
        for member in ("ImageUri", "S3Bucket", "S3Key"):
            if document.get(member):
                raise InvalidConfiguration(f"{member} is not available here: send ZipFile")
        encoded = optional_text(document, "ZipFile")
        if encoded is None:
            raise InvalidRequest("ZipFile is missing: send the zip that holds your code")
        return await asyncio.to_thread(decode_base64, encoded)

    async def _reconfigured(
        self, current: Version, settings: Settings, revision_id: str | None
    ) -> Version:
        """The function under other settings, its source built anew where it depends on them."""
        deployer, name = self._services.deployer, current.function
        code = await self._services.packages.renew(current, settings)
        if code is None:
            return await deployer.configure(name, settings, revision_id=revision_id)
        return await deployer.deploy(
            name,
            code.module,
            settings,
            package=code.package,
            must_exist=True,
            revision_id=revision_id or current.revision_id,
        )

    def _revision(self, document: Document, current: Version) -> str | None:
        """The caller's RevisionId; raises PreconditionFailed when it is not the current one."""
        revision = optional_text(document, "RevisionId")
        if revision is not None and revision != current.revision_id:
            raise PreconditionFailed(
                "the function changed since this RevisionId: read it again, then retry"
            )
        return revision


def _draft(name: str, archive: bytes, settings: Settings) -> Version:
    """What is told of a function until its code is built: its settings, and its zip."""
    package = Package(sha256(archive).hexdigest(), len(archive))
    unbuilt = SnapshotReport(SnapshotState.OFF)
    artifact = Artifact(package.digest, len(archive), "", GuestKind.ABI, unbuilt, package)
    return Version(name, artifact, settings, -1, str(uuid4()), time_ns() // 1_000_000)


def _told(version: Version) -> dict[str, object]:
    """FunctionConfiguration, qualified where a number was given."""
    return configuration(version, None if version.version == LATEST else version.version)
