"""Functions by name: durable changes, and answers from memory that are never out of date.

Neighbours: `storage/functions.py` keeps the versions, `storage/generation.py` tells all processes
that one changed.
Invariant: once a change was answered, no process resolves what it replaced. A change commits and
then bumps the generation; a cache is used only while the generation is the one it was begun at.
"""

import time
from dataclasses import replace
from random import random
from uuid import uuid4

from edge.model.alias import Alias, is_alias_name
from edge.model.errors import Conflict, InvalidRequest, NotFound
from edge.model.function import Artifact, Census, Change, Settings, SharedSettings, Version
from edge.model.ids import LATEST, is_name
from edge.model.policy import FunctionPolicy
from edge.registry.aliases import Aliases
from edge.registry.progress import Progresses
from edge.registry.routes import RouteTable
from edge.storage.functions import FunctionStore
from edge.storage.generation import Generation

VERSIONS_CACHED_MAX = 8_192
UNKNOWN_CACHED_MAX = 4_096
QUALIFIER_LENGTH_MAX = 128

_NEVER = -1


class Registry:
    """One process's view of the functions on this host; `resolve` belongs to its event loop."""

    def __init__(self, store: FunctionStore, generation: Generation) -> None:
        """Raises StorageFailure when the store cannot be read."""
        self._store = store
        self._generation = generation
        self.aliases = Aliases(store.aliases, generation)
        self.progress = Progresses(store.progress)
        self._versions: dict[tuple[str, str], Version] = {}
        # Only aliases for two versions; any other is one more key of its version.
        self._splits: dict[tuple[str, str], Alias] = {}
        # Apart from the versions, so that strangers asking for names at random evict none.
        self._unknown: set[tuple[str, str]] = set()
        self._provisioned: tuple[tuple[Version, int], ...] | None = None
        self._routes: RouteTable | None = None
        self._cached_at = _NEVER
        self._change_count = store.change_count()

    def resolve(self, name: str, qualifier: str, pin: str = "") -> Version:
        """The version to run now; 0.2 µs unless something was deployed since.

        An alias for two versions draws one of them; `pin` names the one to take, and is ignored
        unless it is one of the two. Raises NotFound, and StorageFailure if it has to be read and
        cannot.
        """
        if self._generation.current() != self._cached_at:
            self._forget()
        found = self._versions.get((name, qualifier))
        return found if found is not None else self._find(name, qualifier, pin)

    def routes(self) -> RouteTable | None:
        """The routes of all functions, None where none has any; for the event loop, like `resolve`.

        Raises StorageFailure.
        """
        if self._generation.current() != self._cached_at:
            self._forget()
        return self._routes

    def primary(self, name: str, qualifier: str) -> Version:
        """The version that a qualifier stands for; of an alias for two, the one with the rest.

        Raises as `resolve`.
        """
        alias = self.aliases.find(name, qualifier) if is_alias_name(qualifier) else None
        return self.resolve(name, alias.version if alias is not None else qualifier)

    def policy(self, name: str, qualifier: str) -> FunctionPolicy | None:
        """The policy of a function under a qualifier, as it is in force now; for the event loop,
        like `resolve`. None also where there is no such function. Raises StorageFailure.
        """
        try:
            latest = self.resolve(name, LATEST)
        except NotFound:
            return None
        return latest.shared.policy(qualifier)

    def refresh(self) -> bool:
        """Notice a change whose process died between commit and bump; call it once a second.

        Whether there may have been one. Any thread may. Raises StorageFailure.
        """
        change_count = self._store.change_count()
        if change_count == self._change_count:
            return False
        self._change_count = change_count
        self._cached_at = _NEVER  # the loop's next `resolve` empties the cache
        return True

    def put(
        self,
        name: str,
        artifact: Artifact,
        settings: Settings,
        *,
        revision_id: str | None = None,
        must_exist: bool | None = None,
        change: Change | None = None,
    ) -> Version:
        """Make this the function's latest version, for every process, before returning it.

        `must_exist` True or False makes it an update or a creation only (NotFound, Conflict);
        `revision_id` must be the one the function still has (Conflict); `change` is made to its
        shared settings in the same commit. Raises InvalidRequest for a bad name or a full host,
        Conflict for a route that is another function's, and StorageFailure.
        """
        if not is_name(name):
            raise InvalidRequest(
                f"{name[:80]!r} is not a function name: use 1 to 64 letters, digits, '-' or '_'"
            )
        draft = Version(
            function=name,
            artifact=artifact,
            settings=settings,
            slot=-1,
            revision_id=str(uuid4()),
            modified_ms=time.time_ns() // 1_000_000,
        )
        version = self._store.put(
            draft, revision_id=revision_id, must_exist=must_exist, change=change
        )
        self._generation.bump()
        return version

    def share(self, name: str, change: Change) -> SharedSettings:
        """Change what all versions of a function share, for every process, before returning it.

        Raises NotFound, StorageFailure, Conflict for a route that is another function's, and what
        `change` raises.
        """
        shared = self._store.share(name, change)
        self._generation.bump()
        return shared

    def provisioned(self) -> tuple[tuple[Version, int], ...]:
        """Versions for which sandboxes are to stand ready, and how many; for the event loop, like
        `resolve`.

        What an alias for two versions is provisioned with is for the main one. Raises
        StorageFailure.
        """
        if self._generation.current() != self._cached_at:
            self._forget()
        if self._provisioned is None:
            counts: dict[tuple[str, str], tuple[Version, int]] = {}
            for name in self._store.provisioned():
                for each in self.get(name).shared.provisions:
                    version = self.primary(name, each.qualifier)
                    key = (name, version.version)
                    count = counts[key][1] if key in counts else 0
                    counts[key] = (version, count + each.count)
            self._provisioned = tuple(counts.values())
        return self._provisioned

    def census(self) -> Census:
        """What the functions of this host amount to. Raises StorageFailure."""
        return self._store.census()

    def get(self, name: str) -> Version:
        """The latest version as stored, past every cache. Raises NotFound, StorageFailure."""
        version = self._store.get(name)
        if version is None:
            raise _not_found(name, LATEST)
        return version

    def list(self, *, after: str = "", limit: int) -> tuple[Version, ...]:
        """Up to `limit` latest versions by name, behind the name `after`. Raises StorageFailure."""
        return self._store.list(after, limit)

    def publish(
        self, name: str, *, description: str | None = None, revision_id: str | None = None
    ) -> Version:
        """Keep the latest version as it is under the next number, for ever.

        Nothing new is made when it runs as the last number's version does: that one is returned.
        `description` replaces the latest version's; `revision_id` is what that must be at.
        Raises NotFound, Conflict, StorageFailure.
        """
        latest = self.get(name)
        settings = latest.settings
        if description is not None:
            settings = replace(settings, description=description)
        draft = replace(
            latest,
            settings=settings,
            revision_id=str(uuid4()),
            modified_ms=time.time_ns() // 1_000_000,
        )
        # What was read is what is published, so it must still be there when it is written.
        version = self._store.publish(draft, revision_id=revision_id or latest.revision_id)
        self._generation.bump()
        return version

    def versions(self, name: str, *, after: int = 0, limit: int) -> tuple[Version, ...]:
        """Up to `limit` numbered versions behind the number `after`. Raises StorageFailure."""
        return self._store.versions(name, after, limit)

    def delete_version(self, name: str, version: str) -> None:
        """Delete a numbered version, for every process.

        Raises NotFound, StorageFailure, and Conflict while an alias stands for it.
        """
        if not self._store.delete_version(name, version):
            raise _not_found(name, version)
        self._generation.bump()

    def delete(self, name: str) -> None:
        """Delete a function with its versions, for every process.

        Raises NotFound, StorageFailure, and Conflict while it is being created: what is made would
        come back.
        """
        made = self.progress.find(name, self._store.get(name))
        if made is not None and made.draft is not None and made.failed is None:
            raise Conflict(f"function {name} is being created: delete it when that is done")
        if not self._store.delete(name):
            raise _not_found(name, LATEST)
        self._generation.bump()

    def artifacts_in_use(self) -> set[str]:
        """Digests of every module and image some version needs. Raises StorageFailure."""
        return self._store.digests()

    def _forget(self) -> None:
        """Empty the cache. The generation is read before what will be cached under it."""
        generation = self._generation.current()
        self._routes = RouteTable.of(self._store.routed())
        self._cached_at = generation
        self._versions.clear()
        self._splits.clear()
        self._unknown.clear()
        self._provisioned = None

    def _find(self, name: str, qualifier: str, pin: str) -> Version:
        """What is not among the cached versions: a split alias, or something to be read."""
        key = (name, qualifier)
        split = self._splits.get(key)
        if split is not None:
            return self.resolve(name, split.choose(random(), pin))
        if key in self._unknown or not is_name(name) or len(qualifier) > QUALIFIER_LENGTH_MAX:
            raise _not_found(name, qualifier)
        version = self._store.get(name, qualifier)
        if version is None and is_alias_name(qualifier):
            alias = self.aliases.find(name, qualifier)
            if alias is not None and alias.also:
                if len(self._splits) >= VERSIONS_CACHED_MAX:
                    self._splits.clear()
                self._splits[key] = alias
                return self.resolve(name, alias.choose(random(), pin))
            if alias is not None:
                # Not by `resolve`: it might empty the cache, and this be kept as newer than it is.
                known = self._versions.get((name, alias.version))
                version = known or self._store.get(name, alias.version)
        if version is None:
            if len(self._unknown) >= UNKNOWN_CACHED_MAX:
                self._unknown.clear()
            self._unknown.add(key)
            raise _not_found(name, qualifier)
        if len(self._versions) >= VERSIONS_CACHED_MAX:
            self._versions.clear()
        self._versions[key] = version
        return version


def _not_found(name: str, qualifier: str) -> NotFound:
    suffix = "" if qualifier == LATEST else f":{qualifier[:80]}"
    return NotFound(f"function {name[:80]}{suffix} does not exist")
