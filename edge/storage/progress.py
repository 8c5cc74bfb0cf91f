"""Where changes under way are kept: the protocol and its guarantees.

Neighbours: `functions.py` keeps what they change in the same store; `sqlite/progress.py` is the
backend.
"""

from typing import Protocol

from edge.model.progress import Progress, Reason


class ProgressStore(Protocol):
    """The last unfinished or failed change of each function. Every method raises StorageFailure."""

    def get(self, function: str) -> Progress | None:
        """A function's change, None after one that succeeded."""

    def begin(self, progress: Progress, *, dead_before_ms: int) -> None:
        """Keep a change in place of the one before.

        Raises Conflict while that runs (unless it was last alive before `dead_before_ms`) and when
        what is to be created exists, and NotFound when what is to be updated does not.
        """

    def renew(self, token: str, alive_ms: int) -> None:
        """Say that a change is still being carried out."""

    def fail(self, token: str, reason: Reason, message: str) -> None:
        """Keep why a change failed."""

    def finish(self, token: str) -> None:
        """Forget a change."""
