"""The key-value store on SQLite: one file for all namespaces and all processes of a host.

Neighbours: `edge/storage/kv.py` states what is guaranteed; `commits.py` runs the writes,
`database.py` the reads.
Invariant: one statement makes the whole of a change, so no failure leaves half of one.

Durability: WAL with `synchronous=FULL`. A commit is flushed before it is answered; group commit
shares the flush, which is why it can be afforded.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from time import time_ns

from edge.model import cbor
from edge.model.errors import Conflict, InvalidRequest
from edge.storage.kv import (
    INCREMENT_MAX,
    INCREMENT_MIN,
    Counted,
    Entry,
    Listed,
    Page,
    Quota,
    QuotaExceeded,
)
from edge.storage.sqlite import kv_statements as statements
from edge.storage.sqlite.commits import UPKEEP_INTERVAL_S_DEFAULT, GroupCommit
from edge.storage.sqlite.database import Database

SWEEP_MAX = 500
"""Expired entries removed in one go, so that a sweep never holds up writes for long."""
CLEAR_MAX = 500


def _now_ms() -> int:
    return time_ns() // 1_000_000


class SqliteKv:
    """`Kv` on one SQLite file; open one per process. `clock` is in Unix ms."""

    def __init__(
        self,
        path: Path,
        *,
        quota: Quota | None = None,
        clock: Callable[[], int] = _now_ms,
        upkeep_interval_s: float = UPKEEP_INTERVAL_S_DEFAULT,
    ) -> None:
        self._clock = clock
        self._quota = quota or Quota()
        self._database = Database(path, statements.MIGRATIONS, synchronous="FULL")
        self._commits = GroupCommit(
            self._database, self._sweep, upkeep_interval_s=upkeep_interval_s
        )

    def get(self, namespace: str, key: str) -> Entry | None:
        """See `Kv.get`."""
        with self._database.read() as connection:
            return self._find(connection, namespace, key.encode())

    def list(self, namespace: str, *, prefix: str, after: str, limit: int) -> Page:
        """See `Kv.list`."""
        now_ms, first = self._clock(), prefix.encode()
        question = {
            "namespace": namespace,
            "after": after.encode(),
            "prefix": first,
            "end": _end_of_prefix(first),
            "limit": limit,
        }
        with self._database.read() as connection:
            rows = connection.execute(statements.LIST, question).fetchall()
        entries = tuple(
            Listed(key.decode(), version)
            for key, version, expires_ms in rows
            if expires_ms is None or expires_ms > now_ms
        )
        return Page(entries, rows[-1][0].decode() if len(rows) == limit else None)

    async def put(
        self,
        namespace: str,
        key: str,
        value: bytes,
        *,
        ttl_ms: int | None = None,
        if_version: int | None = None,
    ) -> int:
        """See `Kv.put`."""
        expires_ms = None if ttl_ms is None else self._clock() + ttl_ms
        return await self._commits.submit(
            partial(
                self._put,
                namespace=namespace,
                key=key.encode(),
                value=value,
                expires_ms=expires_ms,
                if_version=if_version,
            )
        )

    async def delete(self, namespace: str, key: str, *, if_version: int | None = None) -> bool:
        """See `Kv.delete`."""
        return await self._commits.submit(
            partial(self._delete, namespace=namespace, key=key.encode(), if_version=if_version)
        )

    async def increment(
        self, namespace: str, key: str, by: int, *, ttl_ms: int | None = None
    ) -> Counted:
        """See `Kv.increment`."""
        return await self._commits.submit(
            partial(self._increment, namespace=namespace, key=key.encode(), by=by, ttl_ms=ttl_ms)
        )

    async def clear(self, namespace: str) -> None:
        """See `Kv.clear`."""
        question = {"namespace": namespace, "limit": CLEAR_MAX}
        while await self._commits.submit(
            lambda connection: connection.execute(statements.CLEAR, question).rowcount
        ):
            pass

    def close(self) -> None:
        """See `Kv.close`."""
        self._commits.close()
        self._database.close()

    # Inside a transaction, on the thread that commits

    def _find(self, connection: Connection, namespace: str, key: bytes) -> Entry | None:
        question = {"namespace": namespace, "key": key, "now_ms": self._clock()}
        row = connection.execute(statements.GET, question).fetchone()
        return None if row is None else Entry(*row)

    def _put(
        self,
        connection: Connection,
        *,
        namespace: str,
        key: bytes,
        value: bytes,
        expires_ms: int | None,
        if_version: int | None,
    ) -> int:
        change = {
            "namespace": namespace,
            "key": key,
            "value": value,
            "expires_ms": expires_ms,
            "if_version": if_version,
            "now_ms": self._clock(),
            "entries_max": self._quota.entries_max,
            "bytes_max": self._quota.bytes_max,
        }
        rows = connection.execute(statements.PUT, change).fetchall()
        if not rows:
            self._make_way(connection, namespace, key, if_version)
            rows = connection.execute(statements.PUT, change).fetchall()
        if not rows:
            raise QuotaExceeded(
                f"the namespace holds as much as it may: {self._quota.entries_max} entries,"
                f" {self._quota.bytes_max} bytes"
            )
        return int(rows[0][0])

    def _make_way(
        self, connection: Connection, namespace: str, key: bytes, if_version: int | None
    ) -> None:
        """After a put that did nothing: raise Conflict, or remove what may stand in its way."""
        entry = self._find(connection, namespace, key)
        if if_version is not None and if_version != (entry.version if entry else 0):
            raise _conflict(entry, if_version)
        connection.execute("INSERT OR IGNORE INTO namespace (name) VALUES (?)", (namespace,))
        question = {"namespace": namespace, "now_ms": self._clock(), "limit": SWEEP_MAX}
        connection.execute(statements.SWEEP_NAMESPACE, question)

    def _delete(
        self, connection: Connection, *, namespace: str, key: bytes, if_version: int | None
    ) -> bool:
        question = {
            "namespace": namespace,
            "key": key,
            "if_version": if_version,
            "now_ms": self._clock(),
        }
        if connection.execute(statements.DELETE, question).fetchall():
            return True
        entry = self._find(connection, namespace, key)
        if if_version is not None and if_version != (entry.version if entry else 0):
            raise _conflict(entry, if_version)
        return False

    def _increment(
        self,
        connection: Connection,
        *,
        namespace: str,
        key: bytes,
        by: int,
        ttl_ms: int | None,
    ) -> Counted:
        entry = self._find(connection, namespace, key)
        if entry is None:
            total, expires_ms = by, None if ttl_ms is None else self._clock() + ttl_ms
        else:
            total, expires_ms = _integer(entry.value) + by, entry.expires_ms
        if not INCREMENT_MIN <= total <= INCREMENT_MAX:
            raise InvalidRequest("the sum does not fit in 64 bits")
        version = self._put(
            connection,
            namespace=namespace,
            key=key,
            value=cbor.encode(total),
            expires_ms=expires_ms,
            if_version=None,
        )
        return Counted(total, version)

    def _sweep(self, connection: Connection) -> None:
        connection.execute(statements.SWEEP, {"now_ms": self._clock(), "limit": SWEEP_MAX})


def _integer(value: bytes) -> int:
    number = cbor.decode(value)
    if type(number) is not int:
        raise InvalidRequest("the stored value is not an integer")
    return number


def _conflict(entry: Entry | None, if_version: int) -> Conflict:
    found = f"the key has version {entry.version}" if entry else "the key is absent"
    wanted = f"version {if_version}" if if_version else "absence"
    return Conflict(f"{found}; {wanted} was expected")


def _end_of_prefix(prefix: bytes) -> bytes | None:
    """The least key after all that begin with `prefix`; None when nothing bounds them."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else None
