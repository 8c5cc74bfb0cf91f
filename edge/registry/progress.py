"""Changes of functions under way: who is at which, and what became of those that failed.

Neighbours: `deploy/updates.py` begins and ends them; `storage/progress.py` keeps them, so that
every worker can tell.
Invariant: none stays under way for longer than its process lives and a lease: whose process
died is told as failed, and stands in nobody's way.
"""

from dataclasses import replace
from time import time_ns
from uuid import uuid4

from edge.model.errors import Conflict
from edge.model.function import Version
from edge.model.progress import Progress, Reason
from edge.storage.progress import ProgressStore

LEASE_MS = 15_000
_DIED = "the host stopped while it was at this: send the change again"


class Progresses:
    """The changes of this host."""

    def __init__(self, store: ProgressStore) -> None:
        self._store = store

    def find(self, function: str, latest: Version | None) -> Progress | None:
        """The change of a function whose latest version is `latest`; None when it succeeded.

        Raises StorageFailure.
        """
        found = self._store.get(function)
        if found is None:
            return None
        if latest is not None and found.draft is not None:
            return None  # it is there: only the end of its creation is not written yet
        if found.failed is None and found.alive_ms < _now_ms() - LEASE_MS:
            if latest is not None and latest.revision_id != found.base_revision:
                return None
            return replace(found, failed=Reason.INTERNAL, message=_DIED)
        return found

    def check_idle(self, function: str) -> None:
        """Raises Conflict while a function is being changed, and StorageFailure."""
        found = self._store.get(function)
        if found and found.failed is None and found.alive_ms >= _now_ms() - LEASE_MS:
            raise Conflict(
                f"function {function} is being changed: wait until that is done, then repeat this"
            )

    def begin(self, function: str, *, latest: Version | None, draft: Version | None) -> str:
        """Begin to create `draft`, or to update `latest`: the token of the change.

        Raises Conflict, NotFound, StorageFailure.
        """
        now_ms = _now_ms()
        base_revision = latest.revision_id if latest is not None else ""
        begun = Progress(function, uuid4().hex, now_ms, base_revision, draft)
        self._store.begin(begun, dead_before_ms=now_ms - LEASE_MS)
        return begun.token

    def renew(self, token: str) -> None:
        """Say that a change is still being carried out; do so several times a lease."""
        self._store.renew(token, _now_ms())

    def fail(self, token: str, reason: Reason, message: str) -> None:
        """Keep why a change failed, for those who ask. Raises StorageFailure."""
        self._store.fail(token, reason, message)

    def finish(self, token: str) -> None:
        """Forget a change that succeeded, or whose failure was told. Raises StorageFailure."""
        self._store.finish(token)


def _now_ms() -> int:
    return time_ns() // 1_000_000
