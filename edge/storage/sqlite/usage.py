"""Totals of usage in `usage.db`.

Neighbours: `edge/storage/usage.py` states the guarantees, `meter/ledger.py` uses them.
Commits are `synchronous=FULL`: totals of deleted segments exist nowhere else.

Tallies stay apart by segment until it is archived, under the empty name; so a rebuild drops what
it can recount and nothing more.
"""

from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection

from edge.storage.sqlite.database import Database
from edge.storage.usage import Grouping, Progress, Selection, Tally, TallyKey

MIGRATIONS = (
    """
    CREATE TABLE segment (
        name TEXT PRIMARY KEY,
        consumed_bytes INTEGER NOT NULL,
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tally (
        segment TEXT NOT NULL,
        function TEXT NOT NULL,
        day INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        billed_ms INTEGER NOT NULL,
        megabyte_ms INTEGER NOT NULL,
        fuel INTEGER NOT NULL,
        PRIMARY KEY (segment, function, day)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tally_of_function ON tally (function, day);
    """,
)

_ARCHIVE = ""
_SUMS = ", ".join(f"SUM({name})" for name in Tally._fields)
_ADD = "ON CONFLICT (segment, function, day) DO UPDATE SET " + ", ".join(
    f"{name} = {name} + excluded.{name}" for name in Tally._fields
)
_COLUMNS: dict[Grouping, str] = {"function": "function", "day": "day"}


class SqliteUsage:
    """A `UsageStore` in one database file, shared by the host's processes."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises StorageFailure."""
        self._database = Database(path, MIGRATIONS, synchronous="FULL")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def progress(self) -> dict[str, Progress]:
        """See UsageStore."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT name, consumed_bytes, archived FROM segment")
            return {name: Progress(consumed, bool(archived)) for name, consumed, archived in rows}

    def add(self, segment: str, start: int, end: int, tallies: Mapping[TallyKey, Tally]) -> bool:
        """See UsageStore."""
        with self._database.write() as connection:
            if _progress(connection, segment) != Progress(start):
                return False
            connection.execute(
                "INSERT INTO segment (name, consumed_bytes) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET consumed_bytes = excluded.consumed_bytes",
                (segment, end),
            )
            connection.executemany(
                f"INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) {_ADD}",
                [(segment, *key, *tally) for key, tally in tallies.items()],
            )
        return True

    def archive(self, segment: str, end: int) -> bool:
        """See UsageStore."""
        with self._database.write() as connection:
            if _progress(connection, segment) != Progress(end):
                return False
            connection.execute(
                "INSERT INTO tally SELECT ?, function, day, "
                f"{', '.join(Tally._fields)} FROM tally WHERE segment = ? {_ADD}",
                (_ARCHIVE, segment),
            )
            connection.execute("DELETE FROM tally WHERE segment = ?", (segment,))
            connection.execute(
                "INSERT INTO segment VALUES (?, ?, 1)"
                " ON CONFLICT (name) DO UPDATE SET archived = 1",
                (segment, end),
            )
        return True

    def forget(self, segment: str) -> None:
        """See UsageStore."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM segment WHERE name = ? AND archived", (segment,))

    def reset(self) -> None:
        """See UsageStore."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM tally WHERE segment <> ?", (_ARCHIVE,))
            connection.execute("DELETE FROM segment WHERE NOT archived")

    def totals(
        self, grouping: Grouping, selection: Selection, limit: int
    ) -> tuple[tuple[str | int, Tally], ...]:
        """See UsageStore."""
        column = _COLUMNS[grouping]
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {column}, {_SUMS} FROM tally"
                " WHERE (?1 IS NULL OR function = ?1)"
                " AND (?2 IS NULL OR day >= ?2) AND (?3 IS NULL OR day <= ?3)"
                f" GROUP BY {column} ORDER BY {column} LIMIT ?4",
                (selection.function, selection.since_day, selection.until_day, limit),
            ).fetchall()
        return tuple((row[0], Tally(*row[1:])) for row in rows)


def _progress(connection: Connection, segment: str) -> Progress:
    row = connection.execute(
        "SELECT consumed_bytes, archived FROM segment WHERE name = ?", (segment,)
    ).fetchone()
    return Progress() if row is None else Progress(row[0], bool(row[1]))
