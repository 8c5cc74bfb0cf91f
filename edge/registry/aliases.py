"""Aliases by function and name: durable changes, in force in every process when answered.

Neighbours: `registry.py` resolves through them; `storage/aliases.py` keeps them.
Invariant: as the registry's: a change commits, then bumps the generation.
"""

from dataclasses import replace
from uuid import uuid4

from edge.model.alias import Alias
from edge.model.errors import NotFound
from edge.storage.aliases import AliasChange, AliasStore
from edge.storage.generation import Generation


class Aliases:
    """The aliases of this host."""

    def __init__(self, store: AliasStore, generation: Generation) -> None:
        self._store = store
        self._generation = generation

    def find(self, function: str, name: str) -> Alias | None:
        """An alias as stored. Raises StorageFailure."""
        return self._store.get(function, name)

    def get(self, function: str, name: str) -> Alias:
        """An alias as stored. Raises NotFound, StorageFailure."""
        found = self._store.get(function, name)
        if found is None:
            raise NotFound(f"alias {function}:{name[:80]} does not exist")
        return found

    def list(self, function: str, *, after: str = "", limit: int) -> tuple[Alias, ...]:
        """Up to `limit` aliases by name, behind the name `after`. Raises StorageFailure."""
        return self._store.list(function, after, limit)

    def create(self, alias: Alias) -> Alias:
        """Keep a new alias under a new revision; its own is ignored.

        Raises Conflict, NotFound (function or version), InvalidRequest, StorageFailure.
        """
        made = self._store.add(replace(alias, revision_id=str(uuid4())))
        self._generation.bump()
        return made

    def update(self, function: str, name: str, change: AliasChange) -> Alias:
        """Change an alias, and give it a new revision.

        Raises NotFound (alias or version), StorageFailure, and what `change` raises.
        """
        changed = self._store.update(
            function, name, lambda stands: replace(change(stands), revision_id=str(uuid4()))
        )
        self._generation.bump()
        return changed

    def delete(self, function: str, name: str) -> bool:
        """Delete an alias; False if there was none. Raises StorageFailure."""
        gone = self._store.delete(function, name)
        if gone:
            self._generation.bump()
        return gone
