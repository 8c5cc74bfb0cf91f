"""Deployment packages as Lambda's clients send them: a zip with a module, or with source.

A module is picked from the zip. Source of a managed runtime is built on this host, by the compilers
that it has; its zip is kept, as another environment or handler asks for another build.

Neighbours: `archive.py` reads the zip, `edge/build` compiles; `front/lambda_api/` asks.
Invariant: a build fetches nothing and runs off the event loop, with at most `builds_max` beside it,
and none outlives its bound in time or its caller.
"""

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from edge.build.builder import build
from edge.build.cache import Cache
from edge.build.javascript import JavaScript
from edge.build.project import Project
from edge.build.python import Python
from edge.config import HostSettings
from edge.deploy.archive import extract, module_in
from edge.model.errors import (
    DeployTimeout,
    InvalidConfiguration,
    MissingToolchain,
    NotFound,
    PayloadTooLarge,
)
from edge.model.function import Code, Package, Settings, Version
from edge.model.limits import MIB
from edge.model.runtimes import PLAIN, language_of
from edge.storage.artifacts import ArtifactStore

SOURCE_BYTES_MAX = 250 * MIB
"""Of all files in a zip, unpacked: Lambda's own quota."""
_COMPILERS: Mapping[str, JavaScript | Python] = MappingProxyType(
    {each.name: each for each in (JavaScript(), Python())}
)


class Packages:
    """Turns packages into modules, on this worker."""

    def __init__(self, artifacts: ArtifactStore, directory: Path, host: HostSettings) -> None:
        """`directory` is for what is unpacked meanwhile."""
        self._artifacts = artifacts
        self._directory = directory
        self._cache = Cache(directory)
        self._host = host
        self._turn = asyncio.Semaphore(host.builds_max)
        self._waiting = 0

    async def open(self, archive: bytes, settings: Settings) -> Code:
        """The module of a package, by the runtime and handler of `settings`.

        Raises InvalidZipFile, InvalidConfiguration, BuildFailed, PayloadTooLarge, DeployTimeout.
        """
        bytes_max = self._host.module_bytes_max
        if len(archive) > bytes_max:
            raise PayloadTooLarge(f"ZipFile is over {bytes_max} bytes")
        package = await asyncio.to_thread(_package_of, archive)
        if language_of(settings.runtime) is None:
            module = await asyncio.to_thread(module_in, archive, settings.handler, bytes_max)
            return Code(module, package)
        module = await self._build(archive, settings)
        await asyncio.to_thread(self._artifacts.put, package.digest, archive)
        return Code(module, replace(package, is_source=True))

    async def renew(self, current: Version, settings: Settings) -> Code | None:
        """The code built for other settings; None where that which stands serves them, too.

        Raises as `open` does.
        """
        package = current.artifact.package
        language = language_of(settings.runtime)
        if language is None or _builds_alike(current.settings, settings):
            return None
        if package is None or not package.is_source:
            if language == language_of(current.settings.runtime):
                return None  # `edge deploy` brought a module; there is nothing to build
            raise InvalidConfiguration(
                f"the code of {current.function} is a module: send source for {settings.runtime}"
            )
        try:
            archive = await asyncio.to_thread(self._artifacts.get, package.digest)
        except NotFound:
            raise InvalidConfiguration(
                f"the source of {current.function} is gone: send the code again"
            ) from None
        return Code(await self._build(archive, settings), package)

    async def _build(self, archive: bytes, settings: Settings) -> bytes:
        """Wait for a turn, then build on a thread; a caller that goes away ends the build."""
        if self._waiting >= self._host.builds_waiting_max:
            raise DeployTimeout(f"{self._waiting} builds are waiting already: try again later")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        stop = threading.Event()
        try:
            async with asyncio.timeout(self._host.build_timeout_s):
                return await asyncio.to_thread(self._compile, archive, settings, stop)
        except TimeoutError:
            raise DeployTimeout(
                f"the build took over {self._host.build_timeout_s} s: bundle less, or raise"
                " build_timeout_s"
            ) from None
        finally:
            stop.set()
            self._turn.release()

    def _compile(self, archive: bytes, settings: Settings, stop: threading.Event) -> bytes:
        compiler = _COMPILERS[language_of(settings.runtime) or ""]
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            directory = Path(scratch, "function")
            directory.mkdir()
            extract(archive, directory, SOURCE_BYTES_MAX)
            project = Project(
                name="function",
                source=compiler.find_handler(directory, settings.handler),
                directory=directory,
                handler=settings.handler,
                is_packed=True,
                primes=settings.primes,
                environment=settings.environment,
                stop=stop,
            )
            try:
                return build(compiler, project, self._cache).module
            except MissingToolchain as missing:
                raise InvalidConfiguration(
                    f"Runtime {settings.runtime} cannot be built on this host: {missing.message}."
                    f" Without it there is {', '.join(PLAIN)}"
                ) from None


def _package_of(archive: bytes) -> Package:
    return Package(hashlib.sha256(archive).hexdigest(), len(archive))


def _builds_alike(before: Settings, after: Settings) -> bool:
    """Whether the source built with one also serves the other."""
    return (
        before.runtime == after.runtime
        and before.handler == after.handler
        and before.environment == after.environment
        and before.primes == after.primes
    )
