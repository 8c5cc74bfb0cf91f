"""Group commit: order, bounds, and who is told what."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model.errors import StorageFailure
from edge.storage.sqlite.commits import GroupCommit
from edge.storage.sqlite.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A file with one table of numbers."""
    opened = Database(tmp_path / "x.db", ("CREATE TABLE n (i INTEGER UNIQUE);",))
    yield opened
    opened.close()


def insert(number: int):  # type: ignore[no-untyped-def]
    """A write that adds a number."""
    return lambda connection: connection.execute("INSERT INTO n VALUES (?)", (number,)).rowcount


def numbers(database: Database) -> list[int]:
    """What was committed, in the order it was added."""
    with database.read() as connection:
        return [row[0] for row in connection.execute("SELECT i FROM n ORDER BY rowid")]


async def test_writes_are_kept_in_the_order_submitted(database: Database) -> None:
    """One after another, whatever the batches."""
    commits = GroupCommit(database, lambda _: None, batch_max=7)
    futures = [commits.submit(insert(number)) for number in range(100)]
    assert await asyncio.gather(*futures) == [1] * 100
    assert numbers(database) == list(range(100))
    commits.close()


async def test_a_failing_write_is_told_alone(database: Database) -> None:
    """SQLite's error is translated; a mistake of ours arrives as it is."""
    commits = GroupCommit(database, lambda _: None)
    results = await asyncio.gather(
        commits.submit(insert(1)),
        commits.submit(insert(1)),
        commits.submit(lambda _: 1 // 0),
        commits.submit(insert(2)),
        return_exceptions=True,
    )
    assert isinstance(results[1], StorageFailure)
    assert isinstance(results[2], ZeroDivisionError)
    assert numbers(database) == [1, 2]
    commits.close()


async def test_the_queue_is_bounded(tmp_path: Path, database: Database) -> None:
    """While the disk or a lock holds everything up, new writes are refused at once."""
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commits = GroupCommit(database, lambda _: None, queue_max=2, batch_max=1)
    taken: list[asyncio.Future[int]] = []
    refusals: list[str] = []
    for number in range(10):
        try:
            taken.append(commits.submit(insert(number)))
        except StorageFailure as error:
            refusals.append(error.message)
    assert len(refusals) >= 7  # two wait, and one may be at its turn
    assert all("wait already" in message for message in refusals)
    other.execute("ROLLBACK")
    other.close()
    assert await asyncio.gather(*taken) == [1] * len(taken)
    commits.close()


async def test_a_cancelled_write_is_left_out_before_its_turn(
    tmp_path: Path, database: Database
) -> None:
    """A guest that ran out of time does not write any more."""
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commits = GroupCommit(database, lambda _: None, batch_max=1)
    futures = [commits.submit(insert(number)) for number in range(4)]
    futures[3].cancel()
    other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(*futures[:3])
    commits.close()
    assert numbers(database) == [0, 1, 2]


async def test_upkeep_comes_round_and_may_fail(database: Database) -> None:
    """A sweep that fails does not end the thread that commits."""
    ran = asyncio.Event()
    loop = asyncio.get_running_loop()

    def upkeep(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(ran.set)
        connection.execute("nonsense")

    commits = GroupCommit(database, upkeep, upkeep_interval_s=0.001)
    async with asyncio.timeout(10):
        await ran.wait()
    assert await commits.submit(insert(1)) == 1
    commits.close()
