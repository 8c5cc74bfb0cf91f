"""Access keys in `keys.db`.

Neighbours: `edge/storage/keys.py` states the guarantees. Commits are `synchronous=FULL`: a key that
was revoked must not come back after a power cut.
"""

from pathlib import Path
from sqlite3 import IntegrityError

from edge.model.errors import Conflict, InvalidRequest
from edge.model.rate import Rate
from edge.storage.keys import KEYS_MAX_DEFAULT, KeyRecord
from edge.storage.sqlite.database import Database

MIGRATIONS = (
    """
    CREATE TABLE key (
        access_key_id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        policy TEXT NOT NULL,
        sealed_secret BLOB NOT NULL,
        token_digest TEXT NOT NULL UNIQUE,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE closed (since_ms INTEGER NOT NULL) STRICT;
    """,
    """
    ALTER TABLE key ADD COLUMN rate_per_s REAL;
    ALTER TABLE key ADD COLUMN burst INTEGER;
    ALTER TABLE key ADD COLUMN slot INTEGER NOT NULL DEFAULT -1;
    UPDATE key SET slot = (
        SELECT COUNT(*) FROM key AS earlier WHERE earlier.access_key_id < key.access_key_id
    );
    CREATE UNIQUE INDEX key_slot ON key (slot);
    """,
)

_SELECT = """
    SELECT access_key_id, name, policy, sealed_secret, token_digest, created_ms,
        rate_per_s, burst, slot
    FROM key
"""
_SLOT_FREE = """
    SELECT MIN(slot) FROM (SELECT 0 AS slot UNION ALL SELECT slot + 1 FROM key)
    WHERE slot NOT IN (SELECT slot FROM key)
"""


class SqliteKeys:
    """A `KeyStore` in one database file, shared by the host's processes."""

    def __init__(self, path: Path, *, keys_max: int = KEYS_MAX_DEFAULT) -> None:
        """Open or create the file. Raises StorageFailure."""
        self._database = Database(path, MIGRATIONS, synchronous="FULL")
        self._keys_max = keys_max

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, access_key_id: str) -> KeyRecord | None:
        """See KeyStore."""
        return self._one("access_key_id", access_key_id)

    def find(self, token_digest: str) -> KeyRecord | None:
        """See KeyStore."""
        return self._one("token_digest", token_digest)

    def list(self) -> tuple[KeyRecord, ...]:
        """See KeyStore."""
        with self._database.read() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY name").fetchall()
        return tuple(_record(row) for row in rows)

    def add(self, record: KeyRecord) -> None:
        """See KeyStore."""
        with self._database.write() as connection:
            if connection.execute("SELECT COUNT(*) FROM key").fetchone()[0] >= self._keys_max:
                raise InvalidRequest(
                    f"this host has {self._keys_max} keys, the most it keeps: revoke one"
                )
            try:
                connection.execute(
                    f"INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ({_SLOT_FREE}))",
                    (
                        record.access_key_id,
                        record.name,
                        record.policy,
                        record.sealed_secret,
                        record.token_digest,
                        record.created_ms,
                        record.rate.per_s if record.rate else None,
                        record.rate.burst if record.rate else None,
                    ),
                )
            except IntegrityError:
                raise Conflict(
                    f"a key called {record.name} exists: rotate it, or choose another name"
                ) from None
            connection.execute(
                "INSERT INTO closed SELECT ? WHERE NOT EXISTS (SELECT * FROM closed)",
                (record.created_ms,),
            )

    def replace(self, record: KeyRecord) -> bool:
        """See KeyStore."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE key SET sealed_secret = ?, token_digest = ? WHERE access_key_id = ?",
                (record.sealed_secret, record.token_digest, record.access_key_id),
            )
            return changed.rowcount > 0

    def remove(self, access_key_id: str) -> bool:
        """See KeyStore."""
        with self._database.write() as connection:
            removed = connection.execute(
                "DELETE FROM key WHERE access_key_id = ?", (access_key_id,)
            )
            return removed.rowcount > 0

    def change_count(self) -> int:
        """See KeyStore."""
        return self._database.change_count()

    def is_closed(self) -> bool:
        """See KeyStore."""
        with self._database.read() as connection:
            return connection.execute("SELECT * FROM closed").fetchone() is not None

    def _one(self, column: str, value: str) -> KeyRecord | None:
        with self._database.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE {column} = ?", (value,)).fetchone()
        return None if row is None else _record(row)


def _record(row: tuple[str, str, str, bytes, str, int, float | None, int | None, int]) -> KeyRecord:
    access_key_id, name, policy, sealed_secret, token_digest, created_ms, per_s, burst, slot = row
    rate = None if per_s is None or burst is None else Rate(per_s, burst)
    return KeyRecord(
        access_key_id, name, policy, sealed_secret, token_digest, created_ms, rate, slot
    )
