"""Group commit: writes of one process queue up for one thread, which commits many at a time.

A commit costs one flush to disk however many writes it holds, and waiting for the disk or for
another process's lock never happens on the event loop.

Neighbours: `kv.py` submits its writes here; `database.py` has the transaction.
Invariant: a write's future has its result only after the commit that holds it is on disk.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from sqlite3 import Connection
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from edge.model.errors import StorageFailure
from edge.storage.sqlite.database import Database

QUEUE_MAX_DEFAULT = 1_000
BATCH_MAX_DEFAULT = 200
UPKEEP_INTERVAL_S_DEFAULT = 5.0

T = TypeVar("T")
Write = Callable[[Connection], T]


@dataclass(slots=True)
class _Job:
    """A write on its way: what to run, whom to tell, and what came of it."""

    write: Write[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class GroupCommit:
    """One thread that runs writes in the order submitted, in shared transactions.

    A write must leave nothing half done when it raises: let it check first, and then change all
    in one statement. `upkeep` runs now and then as a write of its own.
    """

    def __init__(
        self,
        database: Database,
        upkeep: Write[object],
        *,
        queue_max: int = QUEUE_MAX_DEFAULT,
        batch_max: int = BATCH_MAX_DEFAULT,
        upkeep_interval_s: float = UPKEEP_INTERVAL_S_DEFAULT,
    ) -> None:
        self._database = database
        self._upkeep = upkeep
        self._batch_max = batch_max
        self._upkeep_interval_s = upkeep_interval_s
        self._queue: Queue[_Job | None] = Queue(queue_max)
        self._closed = False
        self._thread = Thread(target=self._run, name=f"commits-{database.path.name}", daemon=True)
        self._thread.start()

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        """Queue a write; its future ends with the write's result or error once it is on disk.

        Call it on an event loop. Raises StorageFailure when the queue is full or closed. A future
        that is cancelled before its turn is left out.
        """
        if self._closed:
            raise StorageFailure(f"{self._database.path} is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait(_Job(write, future))
        except Full:
            raise StorageFailure(
                f"{self._queue.maxsize} writes to {self._database.path} wait already: try again"
            ) from None
        return future

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        upkeep_at = monotonic() + self._upkeep_interval_s
        while True:
            batch, last = self._next_batch(max(0.0, upkeep_at - monotonic()))
            if batch:
                self._commit(batch)
                _deliver(batch)
            if last:
                return
            if monotonic() >= upkeep_at:
                self._keep_up()
                upkeep_at = monotonic() + self._upkeep_interval_s

    def _next_batch(self, wait_s: float) -> tuple[list[_Job], bool]:
        """(jobs, whether these are the last): waits for the first, takes what else is there."""
        batch: list[_Job] = []
        try:
            job = self._queue.get(timeout=wait_s)
            while job is not None:
                if not job.future.cancelled():
                    batch.append(job)
                if len(batch) == self._batch_max:
                    return batch, False
                job = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _commit(self, batch: list[_Job]) -> None:
        """Run a batch in one transaction; when that fails as a whole, every job has failed."""
        try:
            with self._database.write() as connection:
                for job in batch:
                    try:
                        with self._database.translated():
                            job.result = job.write(connection)
                    except Exception as error:  # told to the job's future
                        if not connection.in_transaction:  # SQLite gave up all of it: disk full
                            raise
                        job.error = error
        except Exception as error:  # told to every job's future
            for job in batch:
                job.error = error

    def _keep_up(self) -> None:
        # A failure comes round again, and meanwhile writes report what is wrong.
        with suppress(StorageFailure), self._database.write() as connection:
            self._upkeep(connection)


def _deliver(batch: list[_Job]) -> None:
    """Tell each event loop once about its jobs of the batch."""
    jobs_of: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        jobs_of.setdefault(job.future.get_loop(), []).append(job)
    for loop, jobs in jobs_of.items():
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
