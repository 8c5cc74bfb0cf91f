"""An answer on a connection of HTTP/1.1 that leaves as its function writes it.

In chunks; for HTTP/1.0 up to the end of the connection. What the guest writes while the peer reads
slowly waits in its pipe, and once that is full the guest does.

Neighbours: `functions.py` makes one for each answer that comes in pieces; `parts.py` writes.
Invariant: the last chunk leaves after the invocation is in the journal, and only if it ended well.
"""

import asyncio

from edge.front.answers import Answer
from edge.front.door.head import Head
from edge.front.door.parts import PartedConnection
from edge.front.door.writing import CHUNKED_FIELD, chunk, has_no_body, last_chunk
from edge.front.streams import announced, trailers_of
from edge.model.outcome import Outcome
from edge.model.pipe import Pipe
from edge.model.result import Result


class OutgoingStream:
    """One answer. Its task sends until the guest is over."""

    def __init__(
        self, connection: PartedConnection, head: Head, answer: Answer, pipe: Pipe
    ) -> None:
        self._connection = connection
        self._pipe = pipe
        self._is_bodiless = has_no_body(head.method, answer.status)
        self._is_chunked = head.version != "1.0" and not self._is_bodiless
        self._is_begun = False
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._send(answer))

    def wake(self) -> None:
        """The peer reads again."""
        self._news.set()

    def cancel(self) -> None:
        """The peer is gone."""
        self._task.cancel()

    async def end(self, result: Result | None) -> bool:
        """The guest is over: send what is left and the end, or cut the answer off.

        False when nothing was sent yet of one that failed: it can still be answered whole.
        """
        if result is None or result.outcome is not Outcome.OK:
            self._task.cancel()
            if self._is_begun:
                self._write(self._pipe.read())
                self._connection.cut_off()
            return self._is_begun
        await self._task
        if self._is_chunked:
            self._connection.write(last_chunk(trailers_of(self._pipe, result)))
        self._connection.end_parts()
        return True

    async def _send(self, answer: Answer) -> None:
        self._is_begun = True
        if self._is_chunked:
            announced(answer).headers.append(CHUNKED_FIELD)
        elif not self._is_bodiless:
            self._connection.closes_after()
        self._connection.write_head(answer, *self._framed(self._pipe.read()))
        while not self._pipe.is_ended:
            await self._until_writable()
            await self._pipe.await_data()
            self._write(self._pipe.read())
        await self._until_writable()

    async def _until_writable(self) -> None:
        while not self._connection.is_writable:
            self._news.clear()
            await self._news.wait()

    def _write(self, data: bytes) -> None:
        if data:
            self._connection.write(*self._framed(data))

    def _framed(self, data: bytes) -> tuple[bytes, ...]:
        if self._is_bodiless or not data:
            return ()
        return chunk(data) if self._is_chunked else (data,)
