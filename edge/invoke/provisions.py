"""Provisioned concurrency, followed: guests kept ready for versions that nobody may have called.

Neighbours: the registry says for what; `sandbox/` starts guests while the worker is idle.
Invariant: what is no longer provisioned is no longer kept after `KEPT_S`, whoever changed it.
"""

import asyncio

import structlog

from edge.invoke.prepared import Preparations
from edge.model.errors import EdgeError, NotFound
from edge.registry.registry import Registry
from edge.sandbox.component.ready import Recipe
from edge.sandbox.runtime import Sandbox

LOOK_S = 1.0

_log = structlog.get_logger(__name__)


class Provisioning:
    """Keeps ready what is provisioned, on this worker."""

    def __init__(self, registry: Registry, sandbox: Sandbox, preparations: Preparations) -> None:
        self._registry = registry
        self._sandbox = sandbox
        self._preparations = preparations

    async def run(self) -> None:
        """Look every `LOOK_S`, until this is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self.keep()
            except EdgeError as error:
                _log.error("provisioning_failed", cause=error.message)

    def keep(self) -> None:
        """Have the sandbox keep what is provisioned now. Raises StorageFailure."""
        for version, count in self._registry.provisioned():
            prepared = self._preparations.get(version, version.version)
            recipe = Recipe(
                version.function,
                version.artifact.image,
                prepared.allowance,
                version.settings.environment,
                prepared.grants,
            )
            try:
                self._sandbox.keep_ready(recipe, count)
            except NotFound:  # its compiled file is missing: the next event builds it
                continue
