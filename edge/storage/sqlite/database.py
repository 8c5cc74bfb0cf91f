"""One SQLite file as the backends use it: opened, migrated, shared by threads and processes.

Neighbours: `kv.py`, `functions.py` and the ledger build on it.
Invariant: a write block is one durable transaction or nothing; a reader never waits for a writer;
no `sqlite3.Error` leaves a block untranslated.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Literal

from edge.model.errors import StorageFailure

BUSY_TIMEOUT_MS_DEFAULT = 5_000
WAL_BYTES_MAX = 16 * 1024 * 1024
STATEMENTS_CACHED_MAX = 64

_LOCK_POLL_S = 0.001

Synchronous = Literal["FULL", "NORMAL"]


class Database:
    """A WAL database with one connection for reading and one for writing.

    `migrations` are SQL scripts; `PRAGMA user_version` counts those applied, so a script may be
    added at the end and none may ever change. With `synchronous="FULL"` a commit is on disk when
    the write block ends; `"NORMAL"` may lose the last commits at a power cut, never at a kill.
    Open it after forking, once per process. Every method raises StorageFailure.
    """

    def __init__(
        self,
        path: Path,
        migrations: tuple[str, ...],
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout_ms: int = BUSY_TIMEOUT_MS_DEFAULT,
    ) -> None:
        self.path = path
        self._busy_timeout_ms = busy_timeout_ms
        self._read_lock = Lock()
        self._write_lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailure(f"cannot create {path.parent}: {error.strerror}") from error
        with self.translated(), ExitStack() as opened:
            self._writer = opened.enter_context(closing(self._connect(timeout_ms=0)))
            self._reader = opened.enter_context(closing(self._connect(busy_timeout_ms)))
            self._enter_wal()
            self._writer.execute(f"PRAGMA synchronous={synchronous}")
            self._writer.execute(f"PRAGMA journal_size_limit={WAL_BYTES_MAX}")
            self._reader.execute("PRAGMA query_only=ON")
            self._migrate(migrations)
            opened.pop_all()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The reading connection; each statement sees what was committed when it began."""
        with self._read_lock, self.translated():
            yield self._reader

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The writing connection inside `BEGIN IMMEDIATE`; commits at the end of the block.

        Any exception from the block undoes everything and is passed on.
        """
        with self._write_lock, self.translated():
            self._when_free("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def change_count(self) -> int:
        """A number that differs whenever another connection committed since it was last asked."""
        with self.read() as connection:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn `sqlite3.Error` into StorageFailure, for those who keep errors inside a block."""
        try:
            yield
        except sqlite3.Error as error:
            raise StorageFailure(self._explain(error)) from error

    def close(self) -> None:
        """Close both connections; using the database afterwards is a StorageFailure."""
        with self._write_lock, self._read_lock, self.translated():
            self._reader.close()
            self._writer.close()

    def _connect(self, timeout_ms: int) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path,
            timeout=timeout_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_CACHED_MAX,
        )

    def _enter_wal(self) -> None:
        mode = self._when_free("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StorageFailure(
                f"{self.path} cannot use a write-ahead log: put the data directory on a local disk"
            )

    def _when_free(self, statement: str) -> sqlite3.Cursor:
        """Run a statement that takes a lock, asking again while another process holds it.

        SQLite's own waiting backs off to 100 ms between tries, which starves one writer of two
        busy ones for half a second, and it does not wait for `journal_mode` at all.
        """
        give_up = time.monotonic() + self._busy_timeout_ms / 1000
        while True:
            try:
                return self._writer.execute(statement)
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise
            time.sleep(_LOCK_POLL_S)

    def _migrate(self, migrations: tuple[str, ...]) -> None:
        with self.write() as connection:
            applied = connection.execute("PRAGMA user_version").fetchone()[0]
            if applied > len(migrations):
                raise StorageFailure(
                    f"{self.path} was written by a newer edge (schema {applied}, this one knows"
                    f" {len(migrations)}): upgrade edge, or use another data directory"
                )
            for script in migrations[applied:]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(migrations)}")

    def _explain(self, error: sqlite3.Error) -> str:
        """What broke and what to do; the text never holds a value that was being stored."""
        name = getattr(error, "sqlite_errorname", "") or ""
        if name == "SQLITE_FULL":
            return f"the disk is full: free space for {self.path}"
        if _is_busy(error):
            return f"{self.path} stayed locked for {self._busy_timeout_ms} ms: try again"
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return f"{self.path} is damaged ({error}): restore it from a backup, or remove it"
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return f"{self.path} cannot be opened for writing ({error}): check its permissions"
        if name.startswith("SQLITE_IOERR"):
            return f"the disk failed a read or write of {self.path} ({name}): check space and disk"
        return f"{self.path}: {error}"


def _is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorname", "") or "").startswith(
        ("SQLITE_BUSY", "SQLITE_LOCKED")
    )


def _statements(script: str) -> Iterator[str]:
    """Split a script, so that it can run inside our transaction (`executescript` would commit)."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip(" \n\t;"):
        raise ValueError(f"unfinished SQL statement: {statement.strip()[:80]!r}")
