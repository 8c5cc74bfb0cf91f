"""Where aliases are kept: the protocol and its guarantees.

Neighbours: `functions.py` keeps the versions in the same store; `sqlite/aliases.py` is the backend;
`tests/storage/test_alias_store.py` is the contract every backend passes.
"""

from collections.abc import Callable
from typing import Protocol

from edge.model.alias import Alias

AliasChange = Callable[[Alias], Alias]
"""Makes a new alias of the one that stands; an EdgeError from it leaves that."""


class AliasStore(Protocol):
    """Aliases by function and name. Every method raises StorageFailure; a failed write left
    nothing.

    Invariant: every version that an alias names is there; deleting it first is a Conflict.
    """

    def get(self, function: str, name: str) -> Alias | None:
        """One alias, or None."""

    def list(self, function: str, after: str, limit: int) -> tuple[Alias, ...]:
        """Up to `limit` aliases of a function whose names sort behind `after`."""

    def add(self, alias: Alias) -> Alias:
        """Keep a new alias, and return it.

        Raises Conflict where there is one of its name, and NotFound for a function or version that
        is not there. Raises InvalidRequest when the function has as many as it may.
        """

    def update(self, function: str, name: str, change: AliasChange) -> Alias:
        """Change an alias in one transaction, and return it. Raises NotFound, as `add` does."""

    def delete(self, function: str, name: str) -> bool:
        """Delete an alias with its URL config and what is provisioned; False if there was none."""
