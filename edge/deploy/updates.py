"""Changes that outlast the request for them: answered when they are quick, told as state when not.

Neighbours: `front/lambda_api/deployments.py` hands the work in; `registry/progress.py` keeps what
is under way; `deployer.py` does the work, and what was live stays so until that is done.
Invariant: a failure is told once, as the answer or as state; a change that was begun goes on when
its client leaves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from edge.model.errors import (
    BuildFailed,
    EdgeError,
    InvalidConfiguration,
    InvalidModule,
    InvalidRequest,
    InvalidZipFile,
    StorageFailure,
)
from edge.model.function import Version
from edge.model.progress import Reason
from edge.registry.progress import LEASE_MS, Progresses

MESSAGE_CHARS_MAX = 2_048
_REASONS: tuple[tuple[type[EdgeError], Reason], ...] = (
    (InvalidZipFile, Reason.ZIP_FILE),
    (InvalidConfiguration, Reason.CONFIGURATION),
    (InvalidModule, Reason.FUNCTION),
    (BuildFailed, Reason.FUNCTION),
    (InvalidRequest, Reason.CONFIGURATION),
)

_log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[Version]]


class Updates:
    """The changes that this worker carries out; one at a time for each function of the host."""

    def __init__(self, progresses: Progresses, wait_ms: int) -> None:
        """`wait_ms` is how long a client waits for the end of its change."""
        self._progresses = progresses
        self._wait_s = wait_ms / 1_000
        self._running: set[_Update] = set()

    async def run(
        self, function: str, work: Work, *, latest: Version | None, draft: Version | None
    ) -> Version | None:
        """Create `draft` or update `latest` by `work`: what it made, or None when it goes on.

        Raises Conflict while another change of the function runs, NotFound, StorageFailure, and
        what `work` raises within the wait; nothing has changed then.
        """
        token = self._progresses.begin(function, latest=latest, draft=draft)
        update = _Update(self._progresses, token, work)
        self._running.add(update)
        update.task.add_done_callback(lambda _: self._running.discard(update))
        try:
            await asyncio.wait((update.task,), timeout=self._wait_s)
        finally:
            update.is_left = not update.task.done()
        return None if update.is_left else update.task.result()

    async def stop(self) -> None:
        """End what still runs, and tell it as failed."""
        tasks = [update.task for update in self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Update:
    """One change, from its beginning to its end. `is_left` when nobody waits for its answer."""

    def __init__(self, progresses: Progresses, token: str, work: Work) -> None:
        self.is_left = False
        self._progresses = progresses
        self._token = token
        self.task = asyncio.create_task(self._run(work))

    async def _run(self, work: Work) -> Version | None:
        renewal = asyncio.create_task(self._renew())
        try:
            made = await work()
        except EdgeError as error:
            self._fail(error, _reason_of(error), error.message)
            return None
        except Exception as error:
            self._fail(error, Reason.INTERNAL, "an error of this host; its log has more")
            return None
        except asyncio.CancelledError:
            with suppress(StorageFailure):
                self._progresses.fail(self._token, Reason.INTERNAL, "the host was stopped")
            raise
        finally:
            renewal.cancel()
        self._progresses.finish(self._token)
        return made

    def _fail(self, error: Exception, reason: Reason, message: str) -> None:
        """Raise the error to who waits for it; keep it when nobody does."""
        if not self.is_left:
            self._progresses.finish(self._token)
            raise error
        _log.warning("update_failed", reason=reason.value, cause=message, exc_info=error)
        self._progresses.fail(self._token, reason, message[:MESSAGE_CHARS_MAX])

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE_MS / 3_000)
            with suppress(StorageFailure):
                await asyncio.to_thread(self._progresses.renew, self._token)


def _reason_of(error: EdgeError) -> Reason:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.INTERNAL)
