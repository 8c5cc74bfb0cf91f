"""Aliases in `registry.db`, beside the versions they name.

Neighbours: `edge/storage/aliases.py` states the guarantees; `functions.py` has the schema, and
deletes no version that a row of this table names.
"""

from sqlite3 import Connection

from edge.model.alias import Alias
from edge.model.errors import Conflict, InvalidRequest, NotFound
from edge.storage.aliases import AliasChange
from edge.storage.documents import decode_shared, encode_shared
from edge.storage.sqlite.database import Database

ALIASES_MAX = 1_000
"""Of one function; Lambda names no limit."""

_SELECT = """
    SELECT function, alias, version, revision_id, description, also, also_weight FROM alias
"""


class SqliteAliases:
    """An `AliasStore` in the database of the functions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, function: str, name: str) -> Alias | None:
        """See AliasStore."""
        with self._database.read() as connection:
            return _find(connection, function, name)

    def list(self, function: str, after: str, limit: int) -> tuple[Alias, ...]:
        """See AliasStore."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE function = ? AND alias > ? ORDER BY alias LIMIT ?",
                (function, after, max(0, limit)),
            ).fetchall()
        return tuple(Alias(*row) for row in rows)

    def add(self, alias: Alias) -> Alias:
        """See AliasStore."""
        with self._database.write() as connection:
            _check_versions(connection, alias)
            if _find(connection, alias.function, alias.name) is not None:
                raise Conflict(f"alias {alias.function}:{alias.name} exists: update it")
            count = connection.execute(
                "SELECT COUNT(*) FROM alias WHERE function = ?", (alias.function,)
            ).fetchone()[0]
            if count >= ALIASES_MAX:
                raise InvalidRequest(
                    f"function {alias.function} has {ALIASES_MAX} aliases, its limit: delete one"
                )
            _write(connection, alias)
        return alias

    def update(self, function: str, name: str, change: AliasChange) -> Alias:
        """See AliasStore."""
        with self._database.write() as connection:
            stands = _find(connection, function, name)
            if stands is None:
                raise NotFound(f"alias {function}:{name[:80]} does not exist")
            changed = change(stands)
            _check_versions(connection, changed)
            _write(connection, changed)
        return changed

    def delete(self, function: str, name: str) -> bool:
        """See AliasStore."""
        with self._database.write() as connection:
            gone = connection.execute(
                "DELETE FROM alias WHERE function = ? AND alias = ?", (function, name)
            )
            if gone.rowcount == 0:
                return False
            row = connection.execute(
                "SELECT shared FROM function WHERE name = ?", (function,)
            ).fetchone()
            shared = decode_shared(row[0])
            left = shared.without(name)
            if left != shared:
                connection.execute(
                    "UPDATE function SET shared = ? WHERE name = ?", (encode_shared(left), function)
                )
        return True


def _find(connection: Connection, function: str, name: str) -> Alias | None:
    row = connection.execute(
        f"{_SELECT} WHERE function = ? AND alias = ?", (function, name)
    ).fetchone()
    return None if row is None else Alias(*row)


def _check_versions(connection: Connection, alias: Alias) -> None:
    """Raises NotFound for the first version that is not there."""
    for version in filter(None, (alias.version, alias.also)):
        found = connection.execute(
            "SELECT 1 FROM version WHERE function = ? AND version = ?", (alias.function, version)
        ).fetchone()
        if found is None:
            raise NotFound(f"function {alias.function}:{version} does not exist")


def _write(connection: Connection, alias: Alias) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO alias VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            alias.function,
            alias.name,
            alias.version,
            alias.revision_id,
            alias.description,
            alias.also,
            alias.also_weight,
        ),
    )
