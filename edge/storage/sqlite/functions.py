"""Functions and versions in `registry.db`.

Neighbours: `edge/storage/functions.py` states the guarantees, `documents.py` has the columns' JSON.
Commits are `synchronous=FULL`: a deploy is rare, and one that was answered survives a power cut.

The `version` table is keyed by function and version, so numbered versions are further rows beside
`$LATEST`; digests have columns of their own, so that finding unused artifacts reads no JSON.
"""

from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection

from edge.model.errors import Conflict, InvalidRequest, NotFound
from edge.model.function import Census, Change, SharedSettings, Version
from edge.model.ids import LATEST
from edge.model.route import Route, check_routes
from edge.storage.documents import (
    decode_artifact,
    decode_settings,
    decode_shared,
    encode_artifact,
    encode_settings,
    encode_shared,
)
from edge.storage.functions import FUNCTIONS_MAX_DEFAULT, VERSIONS_MAX_DEFAULT
from edge.storage.sqlite.aliases import SqliteAliases
from edge.storage.sqlite.database import Database
from edge.storage.sqlite.progress import SqliteProgress

MIGRATIONS = (
    """
    CREATE TABLE function (
        name TEXT PRIMARY KEY,
        slot INTEGER NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE version (
        function TEXT NOT NULL REFERENCES function (name),
        version TEXT NOT NULL,
        revision_id TEXT NOT NULL,
        modified_ms INTEGER NOT NULL,
        digest TEXT NOT NULL,
        image TEXT NOT NULL,
        artifact TEXT NOT NULL,
        settings TEXT NOT NULL,
        PRIMARY KEY (function, version)
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE function ADD COLUMN published INTEGER NOT NULL DEFAULT 0",
    # What settings up to format 2 said of a function is taken from its latest version.
    """
    ALTER TABLE function ADD COLUMN shared TEXT NOT NULL
        DEFAULT '{"format":3,"concurrencyMax":null,"tags":[],"urls":[]}';
    UPDATE function SET shared = (
        SELECT json_object(
            'format', 3,
            'concurrencyMax', json_extract(settings, '$.limits.concurrencyMax'),
            'tags', json_extract(settings, '$.tags'),
            'urls', json_array()
        )
        FROM version WHERE function = name AND version = '$LATEST'
    )
    WHERE name IN (SELECT function FROM version WHERE version = '$LATEST');
    """,
    "ALTER TABLE version ADD COLUMN package TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE alias (
        function TEXT NOT NULL REFERENCES function (name),
        alias TEXT NOT NULL,
        version TEXT NOT NULL,
        revision_id TEXT NOT NULL,
        description TEXT NOT NULL,
        also TEXT NOT NULL,
        also_weight REAL NOT NULL,
        PRIMARY KEY (function, alias)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE progress (
        function TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        alive_ms INTEGER NOT NULL,
        base_revision TEXT NOT NULL,
        failed TEXT NOT NULL,
        message TEXT NOT NULL,
        revision_id TEXT NOT NULL,
        modified_ms INTEGER NOT NULL,
        artifact TEXT NOT NULL,
        settings TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    "CREATE INDEX routed ON function (name) WHERE json_array_length(shared, '$.routes') > 0",
)

_SELECT = """
    SELECT function, version, slot, revision_id, modified_ms, artifact, settings, shared
    FROM version JOIN function ON name = function
"""
_SLOT_FREE = """
    SELECT MIN(slot) FROM (SELECT 0 AS slot UNION ALL SELECT slot + 1 FROM function)
    WHERE slot NOT IN (SELECT slot FROM function)
"""
_CENSUS = """
    SELECT
        (SELECT COUNT(*) FROM function),
        (SELECT COALESCE(SUM(COALESCE(
            json_extract(artifact, '$.package[0].sizeBytes'),
            json_extract(artifact, '$.sizeBytes')
        )), 0) FROM version),
        (SELECT COALESCE(SUM(json_extract(shared, '$.concurrencyMax')), 0) FROM function)
"""


class SqliteFunctions:
    """A `FunctionStore` in one database file, shared by the host's processes."""

    def __init__(
        self,
        path: Path,
        *,
        functions_max: int = FUNCTIONS_MAX_DEFAULT,
        versions_max: int = VERSIONS_MAX_DEFAULT,
    ) -> None:
        """Open or create the file. Raises StorageFailure."""
        self._database = Database(path, MIGRATIONS, synchronous="FULL")
        self._functions_max = functions_max
        self._versions_max = versions_max
        self.aliases = SqliteAliases(self._database)
        self.progress = SqliteProgress(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, name: str, version: str = LATEST) -> Version | None:
        """See FunctionStore."""
        with self._database.read() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE function = ? AND version = ?", (name, version)
            ).fetchone()
        return None if row is None else _version(row)

    def list(self, after: str, limit: int) -> tuple[Version, ...]:
        """See FunctionStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE version = ? AND function > ? ORDER BY function LIMIT ?",
                (LATEST, after, max(0, limit)),
            ).fetchall()
        return tuple(_version(row) for row in rows)

    def put(
        self,
        draft: Version,
        *,
        revision_id: str | None = None,
        must_exist: bool | None = None,
        change: Change | None = None,
    ) -> Version:
        """See FunctionStore."""
        with self._database.write() as connection:
            found = connection.execute(
                "SELECT slot, shared, revision_id FROM function LEFT JOIN version"
                " ON function = name AND version = ? WHERE name = ?",
                (draft.version, draft.function),
            ).fetchone()
            slot, shared, found_revision_id = found or (None, None, None)
            _check(draft.function, found is not None, must_exist)
            _check_revision(draft.function, found_revision_id, revision_id)
            if slot is None:
                slot = self._add_function(connection, draft.function)
            stands = SharedSettings() if shared is None else decode_shared(shared)
            if change is not None:
                stands = _change(connection, draft.function, stands, change)
            _write(connection, draft)
        return replace(draft, slot=slot, shared=stands)

    def share(self, name: str, change: Change) -> SharedSettings:
        """See FunctionStore."""
        with self._database.write() as connection:
            found = connection.execute(
                "SELECT shared FROM function WHERE name = ?", (name,)
            ).fetchone()
            _check(name, found is not None, must_exist=True)
            return _change(connection, name, decode_shared(found[0]), change)

    def provisioned(self) -> tuple[str, ...]:
        """See FunctionStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name FROM function WHERE json_array_length(shared, '$.provisions') > 0"
            ).fetchall()
        return tuple(row[0] for row in rows)

    def routed(self) -> tuple[tuple[str, tuple[Route, ...]], ...]:
        """See FunctionStore."""
        with self._database.read() as connection:
            return _routed(connection)

    def census(self) -> Census:
        """See FunctionStore."""
        with self._database.read() as connection:
            row = connection.execute(_CENSUS).fetchone()
        return Census(*row)

    def publish(self, draft: Version, *, revision_id: str | None = None) -> Version:
        """See FunctionStore."""
        with self._database.write() as connection:
            found = connection.execute(
                "SELECT slot, shared, published, revision_id FROM function JOIN version"
                " ON function = name AND version = ? WHERE name = ?",
                (LATEST, draft.function),
            ).fetchone()
            _check(draft.function, found is not None, must_exist=True)
            slot, shared, published, found_revision_id = found
            _check_revision(draft.function, found_revision_id, revision_id)
            last = connection.execute(
                f"{_SELECT} WHERE function = ? AND version = ?", (draft.function, str(published))
            ).fetchone()
            if last is not None and _runs_alike(_version(last), draft):
                return _version(last)
            self._check_room(connection, draft.function)
            numbered = replace(
                draft, version=str(published + 1), slot=slot, shared=decode_shared(shared)
            )
            connection.execute(
                "UPDATE function SET published = published + 1 WHERE name = ?", (draft.function,)
            )
            _write(connection, numbered)
        return numbered

    def versions(self, name: str, after: int, limit: int) -> tuple[Version, ...]:
        """See FunctionStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE function = ? AND version <> ? AND CAST(version AS INTEGER) > ?"
                " ORDER BY CAST(version AS INTEGER) LIMIT ?",
                (name, LATEST, after, max(0, limit)),
            ).fetchall()
        return tuple(_version(row) for row in rows)

    def delete_version(self, name: str, version: str) -> bool:
        """See FunctionStore."""
        with self._database.write() as connection:
            alias = connection.execute(
                "SELECT alias FROM alias WHERE function = ? AND ? IN (version, also)",
                (name, version),
            ).fetchone()
            if alias is not None and version != LATEST:
                raise Conflict(
                    f"alias {alias[0]} of {name} stands for version {version}: change it first"
                )
            gone = connection.execute(
                "DELETE FROM version WHERE function = ? AND version = ? AND version <> ?",
                (name, version, LATEST),
            )
            if gone.rowcount == 0:
                return False
            row = connection.execute(
                "SELECT shared FROM function WHERE name = ?", (name,)
            ).fetchone()
            _share(connection, name, decode_shared(row[0]).without(version))
        return True

    def delete(self, name: str) -> bool:
        """See FunctionStore."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM alias WHERE function = ?", (name,))
            connection.execute("DELETE FROM version WHERE function = ?", (name,))
            gone = connection.execute("DELETE FROM progress WHERE function = ?", (name,)).rowcount
            gone += connection.execute("DELETE FROM function WHERE name = ?", (name,)).rowcount
            return gone > 0

    def digests(self) -> set[str]:
        """See FunctionStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT digest FROM version UNION SELECT image FROM version"
                " UNION SELECT package FROM version WHERE package <> ''"
            )
            return {row[0] for row in rows}

    def change_count(self) -> int:
        """See FunctionStore."""
        return self._database.change_count()

    def _check_room(self, connection: Connection, name: str) -> None:
        """Raises InvalidRequest when a function has as many numbered versions as it may."""
        count = connection.execute(
            "SELECT COUNT(*) FROM version WHERE function = ? AND version <> ?", (name, LATEST)
        ).fetchone()[0]
        if count >= self._versions_max:
            raise InvalidRequest(
                f"function {name} has {self._versions_max} versions, its limit:"
                " delete one, or raise versions_max"
            )

    def _add_function(self, connection: Connection, name: str) -> int:
        """Insert a function on the lowest free slot, which it returns."""
        slot = int(connection.execute(_SLOT_FREE).fetchone()[0])
        if slot >= self._functions_max:
            raise InvalidRequest(
                f"this host has {self._functions_max} functions, its limit:"
                " delete one, or raise the limit"
            )
        connection.execute("INSERT INTO function (name, slot) VALUES (?, ?)", (name, slot))
        return slot


def _check(name: str, exists: bool, must_exist: bool | None) -> None:
    if must_exist is True and not exists:
        raise NotFound(f"function {name} does not exist: deploy it first")
    if must_exist is False and exists:
        raise Conflict(f"function {name} exists: update it, or delete it first")


def _check_revision(name: str, found: str | None, wanted: str | None) -> None:
    if wanted is not None and wanted != found:
        raise Conflict(
            f"function {name} is at revision {found or 'none'}, not"
            f" {wanted[:80]}: read it again, then repeat the change"
        )


def _runs_alike(published: Version, draft: Version) -> bool:
    """Whether both run the same: a description alone makes no new version."""
    settings = replace(published.settings, description=draft.settings.description)
    return published.artifact == draft.artifact and settings == draft.settings


def _change(
    connection: Connection, name: str, stands: SharedSettings, change: Change
) -> SharedSettings:
    """Write what `change` makes of shared settings, and return it."""
    shared = change(stands)
    if shared.routes != stands.routes:
        others = (each for each in _routed(connection) if each[0] != name)
        check_routes(name, shared.routes, others)
    return _share(connection, name, shared)


def _routed(connection: Connection) -> tuple[tuple[str, tuple[Route, ...]], ...]:
    rows = connection.execute(
        "SELECT name, shared FROM function WHERE json_array_length(shared, '$.routes') > 0"
        " ORDER BY name"
    ).fetchall()
    return tuple((name, decode_shared(shared).routes) for name, shared in rows)


def _share(connection: Connection, name: str, shared: SharedSettings) -> SharedSettings:
    """Write shared settings, and return them."""
    connection.execute(
        "UPDATE function SET shared = ? WHERE name = ?", (encode_shared(shared), name)
    )
    return shared


def _write(connection: Connection, version: Version) -> None:
    package = version.artifact.package
    connection.execute(
        "INSERT OR REPLACE INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.function,
            version.version,
            version.revision_id,
            version.modified_ms,
            version.artifact.digest,
            version.artifact.image,
            encode_artifact(version.artifact),
            encode_settings(version.settings),
            package.digest if package is not None and package.is_source else "",
        ),
    )


def _version(row: tuple[str, str, int, str, int, str, str, str]) -> Version:
    function, version, slot, revision_id, modified_ms, artifact, settings, shared = row
    return Version(
        function=function,
        artifact=decode_artifact(artifact),
        settings=decode_settings(settings),
        slot=slot,
        revision_id=revision_id,
        modified_ms=modified_ms,
        version=version,
        shared=decode_shared(shared),
    )
