"""Where functions and their versions are kept: the protocol and its guarantees.

Neighbours: `registry/` holds it; `sqlite/functions.py` is the backend;
`tests/storage/test_functions.py` is the contract every backend passes.
"""

from typing import Protocol

from edge.model.function import Census, Change, SharedSettings, Version
from edge.model.ids import LATEST
from edge.model.route import Route
from edge.storage.aliases import AliasStore
from edge.storage.progress import ProgressStore

FUNCTIONS_MAX_DEFAULT = 4_096
VERSIONS_MAX_DEFAULT = 1_000


class FunctionStore(Protocol):
    """Versions by function name. Every method raises StorageFailure; a failed write left nothing.

    A write is on disk when it returns, and whoever reads afterwards, in any process, sees it.
    """

    @property
    def aliases(self) -> AliasStore:
        """The aliases of these functions; they go with their function."""

    @property
    def progress(self) -> ProgressStore:
        """The changes of these functions that are under way or failed; they go with them."""

    def get(self, name: str, version: str = LATEST) -> Version | None:
        """One version of one function, or None."""

    def list(self, after: str, limit: int) -> tuple[Version, ...]:
        """The latest version of up to `limit` functions whose names sort behind `after`."""

    def put(
        self,
        draft: Version,
        *,
        revision_id: str | None = None,
        must_exist: bool | None = None,
        change: Change | None = None,
    ) -> Version:
        """Store `draft` under its function and version, and return it as the function has it.

        The draft's own slot is ignored: a new function gets the lowest free one, below the
        store's `functions_max`, and keeps it until it is deleted. So are its shared settings:
        they stay as they are, or become what `change` makes of them, in the same commit.
        `must_exist` says whether the function has to be there (NotFound) or must not be
        (Conflict); `revision_id` is the revision it must still have (Conflict). Raises
        InvalidRequest when the host is full, and Conflict for a route that is another's.
        """

    def share(self, name: str, change: Change) -> SharedSettings:
        """Change what all versions of a function share, in one transaction. Raises NotFound, and
        Conflict for a route that another function has.

        What `change` raises is passed on, and nothing has changed then.
        """

    def provisioned(self) -> tuple[str, ...]:
        """The names of the functions that have provisioned concurrency."""

    def routed(self) -> tuple[tuple[str, tuple[Route, ...]], ...]:
        """The functions that have routes, with these; no two claim the same requests."""

    def census(self) -> Census:
        """What all functions together amount to."""

    def publish(self, draft: Version, *, revision_id: str | None = None) -> Version:
        """Store `draft`, made from the latest version, under the function's next number.

        Numbers begin at 1 and are never given twice while the function exists. A draft that
        differs from the last number's version in its description only is not stored:
        that version is returned. `revision_id` is the revision the latest version must still
        have (Conflict). Raises NotFound, and InvalidRequest when the function has as many
        numbered versions as it may.
        """

    def versions(self, name: str, after: int, limit: int) -> tuple[Version, ...]:
        """Up to `limit` numbered versions behind the number `after`, in order."""

    def delete_version(self, name: str, version: str) -> bool:
        """Delete one numbered version; False if there was none.

        Raises Conflict while an alias stands for it.
        """

    def delete(self, name: str) -> bool:
        """Delete a function with all its versions, or one whose creation failed; False if there
        was none."""

    def digests(self) -> set[str]:
        """The digests of every module, image and kept package that a stored version refers to."""

    def change_count(self) -> int:
        """A number that differs whenever any process wrote since it was last asked."""
