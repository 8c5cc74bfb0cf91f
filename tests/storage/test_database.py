"""What every SQLite file of the host can rely on: migrations, transactions, plain failures."""

import multiprocessing
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from edge.model.errors import Conflict, StorageFailure
from edge.storage.sqlite.database import Database

FIRST = "CREATE TABLE note (text TEXT UNIQUE);"
SECOND = """
    ALTER TABLE note ADD COLUMN written INTEGER DEFAULT 0;
    CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
        UPDATE note SET written = 1 WHERE text = NEW.text;
    END;
"""


def notes(database: Database) -> list[str]:
    """The texts that were kept."""
    with database.read() as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note ORDER BY text")]


def add(database: Database, text: str) -> None:
    """Keep a text."""
    with database.write() as connection:
        connection.execute("INSERT INTO note (text) VALUES (?)", (text,))


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    """A file of an older edge is brought forward with what it holds."""
    old = Database(tmp_path / "x.db", (FIRST,))
    add(old, "before")
    old.close()
    for _ in range(2):
        new = Database(tmp_path / "x.db", (FIRST, SECOND))
        assert "before" in notes(new)
        new.close()


def test_a_file_of_a_newer_edge_is_refused(tmp_path: Path) -> None:
    """It would be damaged by code that does not know its tables."""
    Database(tmp_path / "x.db", (FIRST, SECOND)).close()
    with pytest.raises(StorageFailure, match="newer edge"):
        Database(tmp_path / "x.db", (FIRST,))


def test_a_failed_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Half a migration would be neither version."""
    Database(tmp_path / "x.db", (FIRST,)).close()
    with pytest.raises(StorageFailure):
        Database(tmp_path / "x.db", (FIRST, "CREATE TABLE other (a); SELECT nonsense FROM note;"))
    database = Database(tmp_path / "x.db", (FIRST,))
    with pytest.raises(StorageFailure, match="no such table"), database.read() as connection:
        connection.execute("SELECT * FROM other")
    database.close()


def test_an_unfinished_statement_is_a_mistake_of_ours(tmp_path: Path) -> None:
    """A script that lost its last semicolon does not half apply."""
    with pytest.raises(ValueError, match="unfinished"):
        Database(
            tmp_path / "x.db", ("CREATE TABLE a (b); CREATE TRIGGER t AFTER INSERT ON a BEGIN",)
        )


def test_an_exception_undoes_the_block_and_passes_on(tmp_path: Path) -> None:
    """Callers raise their own errors inside a block."""
    database = Database(tmp_path / "x.db", (FIRST,))
    with pytest.raises(Conflict):
        _add_and_fail(database, "lost")
    add(database, "kept")
    assert notes(database) == ["kept"]
    database.close()


def _add_and_fail(database: Database, text: str) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO note (text) VALUES (?)", (text,))
        raise Conflict("not now")


def test_readers_see_what_is_committed_and_never_wait(tmp_path: Path) -> None:
    """A read inside another's write block sees the state before it."""
    database = Database(tmp_path / "x.db", (FIRST,))
    with database.write() as connection:
        connection.execute("INSERT INTO note (text) VALUES ('new')")
        assert notes(database) == []
    assert notes(database) == ["new"]
    database.close()


def test_the_reading_connection_cannot_write(tmp_path: Path) -> None:
    """A write outside of a write block would wait for locks on the event loop."""
    database = Database(tmp_path / "x.db", (FIRST,))
    with pytest.raises(StorageFailure, match="readonly"), database.read() as connection:
        connection.execute("DELETE FROM note")
    database.close()


def test_commits_are_flushed_to_disk(tmp_path: Path) -> None:
    """`synchronous` is what was asked for, on the connection that writes."""
    for setting, level in (("FULL", 2), ("NORMAL", 1)):
        database = Database(tmp_path / "x.db", (FIRST,), synchronous=setting)  # type: ignore[arg-type]
        with database.write() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == level
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        database.close()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(b"this is no database at all" * 100), "damaged"),
        (lambda path: path.mkdir(), "permissions"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(tmp_path: Path, damage, says: str) -> None:  # type: ignore[no-untyped-def]
    """An operator reads this message, not a traceback."""
    damage(tmp_path / "x.db")
    with pytest.raises(StorageFailure, match=says):
        Database(tmp_path / "x.db", (FIRST,))


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The parent is a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailure, match="cannot create"):
        Database(tmp_path / "file" / "x.db", (FIRST,))


def test_a_lock_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    """No longer than the bound."""
    database = Database(tmp_path / "x.db", (FIRST,), busy_timeout_ms=20)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailure, match="locked for 20 ms"):
        add(database, "text")
    other.execute("ROLLBACK")
    other.close()
    add(database, "text")
    database.close()


def test_a_full_disk_is_told_from_other_failures(tmp_path: Path) -> None:
    """SQLite's own limit on pages stands in for the disk's."""
    database = Database(tmp_path / "x.db", (FIRST,))
    with database.write() as connection:
        connection.execute("PRAGMA max_page_count=5")
    with pytest.raises(StorageFailure, match="disk is full: free space"):
        add(database, "x" * 100_000)
    add(database, "small")
    assert notes(database) == ["small"]
    database.close()


def _open_and_add(path: Path, barrier: Barrier, text: str) -> None:
    barrier.wait()
    database = Database(path, (FIRST, SECOND))
    add(database, text)
    database.close()


def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Workers start together: one migrates, the others wait for it."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    workers = [
        context.Process(target=_open_and_add, args=(tmp_path / "x.db", barrier, str(number)))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    database = Database(tmp_path / "x.db", (FIRST, SECOND))
    assert notes(database) == ["0", "1", "2", "3"]
    database.close()
