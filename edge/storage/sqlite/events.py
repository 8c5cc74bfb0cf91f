"""Async events in `events.db`, shared by the host's processes.

Neighbours: `edge/storage/events.py` states what is guaranteed; `commits.py` runs the writes,
`event_statements.py` has the SQL.
Invariant: `due_ms` of a claimed event is the end of its lease, so a claim that nobody renews comes
back by itself; triggers keep the totals, so one statement makes the whole of an addition.

Durability: WAL with `synchronous=FULL`, flushed once for each group of writes.
"""

from asyncio import Future
from collections.abc import Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from edge.model.async_event import AsyncEvent, Condition, DeadLetter, EventConfig
from edge.model.errors import TooManyEvents
from edge.storage.events import EventBounds
from edge.storage.sqlite import event_statements as statements
from edge.storage.sqlite.commits import GroupCommit
from edge.storage.sqlite.database import Database

WRITES_MAX = 10_000
"""Writes that wait for a commit; more are refused. Each may hold an event of the largest size."""


class SqliteEvents:
    """`AsyncEvents` on one SQLite file; open one per process."""

    def __init__(self, path: Path, bounds: EventBounds | None = None) -> None:
        """Open or create the file. Raises StorageFailure."""
        self._bounds = bounds or EventBounds()
        self._database = Database(path, statements.MIGRATIONS, synchronous="FULL")
        self._commits = GroupCommit(self._database, lambda _: None, queue_max=WRITES_MAX)

    def close(self) -> None:
        """Commit what is queued and close the file."""
        self._commits.close()
        self._database.close()

    def add(self, event: AsyncEvent) -> "Future[None]":
        """See `AsyncEvents.add`."""
        bounds = self._bounds

        def write(connection: Connection) -> None:
            events, size = connection.execute(statements.TOTALS).fetchone()
            if events >= bounds.events_max or size + len(event.content) > bounds.bytes_max:
                raise TooManyEvents(
                    f"this host keeps {events} async events ({size} bytes) and may keep"
                    f" {bounds.events_max} ({bounds.bytes_max} bytes): try again later, or see"
                    " 'edge dead list' for what may be removed"
                )
            connection.execute(statements.ADD, (*_row(event), event.accepted_ms))

        return self._commits.submit(write)

    def is_due(self, now_ms: int) -> bool:
        """See `AsyncEvents.is_due`."""
        return self._one(statements.IS_DUE, (now_ms,)) is not None

    def claim(
        self, owner: str, now_ms: int, until_ms: int, limit: int
    ) -> "Future[Sequence[AsyncEvent]]":
        """See `AsyncEvents.claim`."""

        def write(connection: Connection) -> Sequence[AsyncEvent]:
            rows = connection.execute(statements.CLAIM, (owner, until_ms, now_ms, limit))
            return tuple(_event(row) for row in rows.fetchall())

        return self._commits.submit(write)

    def renew(self, owner: str, until_ms: int) -> "Future[int]":
        """See `AsyncEvents.renew`."""
        return self._change(statements.RENEW, (until_ms, owner))

    def put_off(self, owner: str, event: AsyncEvent, due_ms: int) -> "Future[bool]":
        """See `AsyncEvents.put_off`."""
        row = (due_ms, event.attempts, event.waits, event.request_id, owner)
        return self._changes(statements.PUT_OFF, row)

    def settle(
        self, owner: str, request_id: str, follows: AsyncEvent | DeadLetter | None
    ) -> "Future[bool]":
        """See `AsyncEvents.settle`."""

        def write(connection: Connection) -> bool:
            # A savepoint: what follows may fail, and then the event must still be there.
            with _Whole(connection):
                if not connection.execute(statements.SETTLE, (request_id, owner)).rowcount:
                    return False
                if isinstance(follows, DeadLetter):
                    connection.execute(statements.BURY, _dead_row(follows))
                elif follows is not None:
                    connection.execute(statements.ADD, (*_row(follows), follows.accepted_ms))
                return True

        return self._commits.submit(write)

    def give_back(self, owner: str, now_ms: int) -> "Future[int]":
        """See `AsyncEvents.give_back`."""
        return self._change(statements.GIVE_BACK, (now_ms, owner))

    def counts(self) -> tuple[int, int]:
        """See `AsyncEvents.counts`."""
        row = self._one(statements.COUNTS, ())
        return row[0], row[1]

    def dead_letters(self, function: str | None, after: str, limit: int) -> Sequence[DeadLetter]:
        """See `AsyncEvents.dead_letters`."""
        with self._database.read() as connection:
            rows = connection.execute(statements.DEAD_LIST, (function, after, limit)).fetchall()
        return tuple(_dead(row) for row in rows)

    def dead_letter(self, request_id: str) -> DeadLetter | None:
        """See `AsyncEvents.dead_letter`."""
        row = self._one(statements.DEAD_GET, (request_id,))
        return None if row is None else _dead(row)

    def redrive(self, request_id: str, now_ms: int) -> "Future[bool]":
        """See `AsyncEvents.redrive`."""

        def write(connection: Connection) -> bool:
            with _Whole(connection):
                if not connection.execute(statements.REDRIVE, (now_ms, request_id)).rowcount:
                    return False
                connection.execute(statements.DEAD_REMOVE, (request_id,))
                return True

        return self._commits.submit(write)

    def remove_dead(self, request_id: str) -> "Future[bool]":
        """See `AsyncEvents.remove_dead`."""
        return self._changes(statements.DEAD_REMOVE, (request_id,))

    def put_config(self, config: EventConfig) -> "Future[int]":
        """See `AsyncEvents.put_config`."""
        row = (
            config.function,
            config.qualifier,
            config.retries_max,
            config.age_s_max,
            config.on_success,
            config.on_failure,
            config.modified_ms,
        )
        return self._change(statements.CONFIG_PUT, row)

    def config(self, function: str, qualifier: str) -> EventConfig | None:
        """See `AsyncEvents.config`."""
        row = self._one(statements.CONFIG_GET, (function, qualifier))
        return None if row is None else EventConfig(*row)

    def configs(self, function: str, after: str, limit: int) -> Sequence[EventConfig]:
        """See `AsyncEvents.configs`."""
        with self._database.read() as connection:
            rows = connection.execute(statements.CONFIG_LIST, (function, after, limit)).fetchall()
        return tuple(EventConfig(*row) for row in rows)

    def remove_config(self, function: str, qualifier: str) -> "Future[bool]":
        """See `AsyncEvents.remove_config`."""
        return self._changes(statements.CONFIG_REMOVE, (function, qualifier))

    def _one(self, statement: str, row: tuple[Any, ...]) -> Any:
        with self._database.read() as connection:
            return connection.execute(statement, row).fetchone()

    def _change(self, statement: str, row: tuple[Any, ...]) -> "Future[int]":
        return self._commits.submit(lambda connection: connection.execute(statement, row).rowcount)

    def _changes(self, statement: str, row: tuple[Any, ...]) -> "Future[bool]":
        return self._commits.submit(
            lambda connection: connection.execute(statement, row).rowcount > 0
        )


class _Whole:
    """Several statements of a group's transaction, undone together when one fails."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("SAVEPOINT whole")

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if not self._connection.in_transaction:  # SQLite gave up all of it
            return
        if kind is not None:
            self._connection.execute("ROLLBACK TO whole")
        self._connection.execute("RELEASE whole")


def _row(event: AsyncEvent) -> tuple[Any, ...]:
    return (
        event.request_id,
        event.function,
        event.content,
        event.accepted_ms,
        event.qualifier,
        event.attempts,
        event.waits,
        event.hops,
    )


def _event(row: Sequence[Any]) -> AsyncEvent:
    return AsyncEvent(*row)


def _dead_row(letter: DeadLetter) -> tuple[Any, ...]:
    told = (letter.condition.value, letter.reason, letter.record, letter.died_ms)
    return (*_row(letter.event), *told)


def _dead(row: Sequence[Any]) -> DeadLetter:
    return DeadLetter(_event(row[:8]), Condition(row[8]), row[9], row[10], row[11])
