"""Deploy a module under a name, change its settings, take it away.

Neighbours: `front/` calls it; `sandbox/builder.py` builds; `registry/` makes it live everywhere.
Invariant: until `registry.put` returns, every request is served by what was there before.
"""

import asyncio
import hashlib

from edge.config import HostSettings
from edge.host.grants import parse_grants
from edge.meter.logs import LogStore
from edge.model.errors import (
    InvalidConfiguration,
    NotFound,
    PayloadTooLarge,
    StorageFailure,
)
from edge.model.function import (
    DESCRIPTION_CHARS_MAX,
    Artifact,
    Change,
    Code,
    GuestKind,
    Package,
    Settings,
    Version,
)
from edge.model.ids import is_name
from edge.model.limits import ENVIRONMENT_BYTES_MAX, KIB, MIB
from edge.model.prime import check_primes
from edge.model.result import LogLine
from edge.registry.registry import Registry
from edge.sandbox.builder import Builder, Built
from edge.storage.artifacts import ArtifactStore

INIT_REQUEST_ID = "init"


class Deployer:
    """Deploys on this worker; live on all of them when `deploy` returns."""

    def __init__(
        self,
        registry: Registry,
        artifacts: ArtifactStore,
        builder: Builder,
        logs: LogStore,
        host: HostSettings,
    ) -> None:
        self._registry = registry
        self._artifacts = artifacts
        self._builder = builder
        self._logs = logs
        self._host = host
        self._recompiling: dict[str, asyncio.Task[None]] = {}

    async def deploy(
        self,
        name: str,
        module: bytes,
        settings: Settings,
        *,
        package: Package | None = None,
        must_exist: bool | None = None,
        revision_id: str | None = None,
        change: Change | None = None,
    ) -> Version:
        """Validate, snapshot, compile, write, register. Returns the version that is now live.

        `package` is the zip that `module` came in. `change` is made to the function's shared
        settings at the moment the version goes live.
        Raises InvalidRequest and its kin (module, settings, size), Conflict, NotFound,
        DeployTimeout, StorageFailure; nothing has changed then.
        """
        self._check(name, module, settings)
        built = await self._builder.build(module, settings)
        artifact = await asyncio.to_thread(self._store, Code(module, package), built)
        version = self._registry.put(
            name,
            artifact,
            settings,
            must_exist=must_exist,
            revision_id=revision_id,
            change=change,
        )
        self._keep_log(version, built)
        return version

    async def configure(
        self,
        name: str,
        settings: Settings,
        *,
        revision_id: str | None = None,
        change: Change | None = None,
    ) -> Version:
        """Change a function's settings, building anew only what depends on them."""
        current = self._registry.get(name)
        # Else a deploy that overtakes this would be undone by the artifact read here.
        revision_id = revision_id or current.revision_id
        if _same_image(current.settings, settings):
            self._check(name, b"", settings)
            return self._registry.put(
                name,
                current.artifact,
                settings,
                must_exist=True,
                revision_id=revision_id,
                change=change,
            )
        module = await asyncio.to_thread(self._artifacts.get, current.artifact.digest)
        return await self.deploy(
            name,
            module,
            settings,
            package=current.artifact.package,
            must_exist=True,
            revision_id=revision_id,
            change=change,
        )

    async def delete(self, name: str) -> None:
        """Take a function away; its artifacts go at the next sweep. Raises NotFound."""
        self._registry.delete(name)

    async def recompile(self, image: str) -> None:
        """Build a compiled file that is missing or stale; asked for twice, built once."""
        task = self._recompiling.get(image)
        if task is None:
            task = asyncio.create_task(self._compile(image))
            self._recompiling[image] = task
            task.add_done_callback(lambda _: self._recompiling.pop(image, None))
        # One caller that goes away must not take the build from the others.
        await asyncio.shield(task)

    async def _compile(self, image: str) -> None:
        try:
            module = await asyncio.to_thread(self._artifacts.get, image)
        except NotFound:
            raise StorageFailure(
                f"the module {image[:12]} is gone from the artifacts: deploy the function again"
            ) from None
        await self._builder.compile(module)

    def _check(self, name: str, module: bytes, settings: Settings) -> None:
        """Refuse what can be refused without building."""
        if not is_name(name):
            raise InvalidConfiguration(
                f"{name[:80]!r} is not a function name: use 1 to 64 letters, digits, '-' or '_'"
            )
        if len(module) > self._host.module_bytes_max:
            raise PayloadTooLarge(
                f"the module is {len(module) // MIB} MB; the limit is"
                f" {self._host.module_bytes_max // MIB} MB"
            )
        parse_grants(settings.grants)
        check_primes(settings.primes)
        size = sum(len(key.encode()) + len(value.encode()) for key, value in settings.environment)
        if size > ENVIRONMENT_BYTES_MAX:
            raise PayloadTooLarge(
                f"the environment is {size} bytes; the limit is {ENVIRONMENT_BYTES_MAX // KIB} KiB"
            )
        for key, value in settings.environment:
            if not key or "=" in key or "\0" in key + value:
                raise InvalidConfiguration(f"{key[:80]!r} cannot be an environment variable")
        if len(settings.description) > DESCRIPTION_CHARS_MAX:
            raise InvalidConfiguration(
                f"Description must have at most {DESCRIPTION_CHARS_MAX} characters"
            )

    def _store(self, code: Code, built: Built) -> Artifact:
        """Put the upload and the image on disk."""
        module, package = code
        digest = hashlib.sha256(module).hexdigest()
        self._artifacts.put(digest, module)
        if built.report.image != digest:
            self._artifacts.put(built.report.image, built.image)
        kind, report = GuestKind(built.report.kind), built.report.snapshot
        return Artifact(digest, len(module), built.report.image, kind, report, package)

    def _keep_log(self, version: Version, built: Built) -> None:
        now_ms = version.modified_ms
        lines = tuple(LogLine(now_ms, level, text) for level, text in built.report.log)
        if lines:
            self._logs.append(version.function, INIT_REQUEST_ID, lines, version.version)


def _same_image(before: Settings, after: Settings) -> bool:
    """Whether the image made for one also serves the other."""
    return (
        before.snapshot == after.snapshot
        and before.primes == after.primes
        and before.environment == after.environment
        and before.limits.memory_mb <= after.limits.memory_mb
    )
