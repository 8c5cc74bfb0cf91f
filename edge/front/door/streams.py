"""Bodies on a connection of HTTP/1.1 that pass through as they come, out of a guest and into one.

An answer leaves in chunks; for HTTP/1.0 up to the end of the connection. What the guest writes
while the peer reads slowly waits in its pipe, and once that is full the guest does. The other way
round the peer waits for the guest.

Neighbours: `functions.py` makes one for each such body; `parts.py` writes.
Invariant: the last chunk leaves after the invocation is in the journal, and only if it ended well.
"""

import asyncio

from edge.front.answers import Answer
from edge.front.door.body import Body
from edge.front.door.connection import BUFFERED_BYTES_MAX
from edge.front.door.head import Head
from edge.front.door.parts import PartedConnection
from edge.front.door.refusals import body_too_large
from edge.front.door.writing import CHUNKED_FIELD, chunk, has_no_body, last_chunk
from edge.front.streams import (
    ResponseStream,
    announced,
    await_first_piece,
    read_trailers,
    trailers_of,
)
from edge.model.outcome import Outcome
from edge.model.pipe import Pipe
from edge.model.result import Result


class OutgoingStream:
    """One answer. Its task sends until the guest is over.

    It begins with the first piece: a guest that is over by then is answered whole.
    """

    def __init__(
        self, connection: PartedConnection, head: Head, answer: Answer, stream: ResponseStream
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._pipe = stream.pipe
        self._is_bodiless = has_no_body(head.method, answer.status)
        self._is_chunked = head.version != "1.0" and not self._is_bodiless
        self.is_begun = False
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

        False when nothing was sent yet, and the result is the answer.
        """
        if result is None or result.outcome is not Outcome.OK:
            self._task.cancel()
            if self.is_begun:
                self._write(self._pipe.read())
                self._connection.cut_off()
            return self.is_begun
        if self._stream.is_over:
            self._task.cancel()
            return False
        await self._task
        if self._is_chunked:
            self._connection.write(last_chunk(trailers_of(self._pipe, result)))
        self._connection.end_parts()
        return True

    async def _send(self, answer: Answer) -> None:
        await await_first_piece(self._stream)
        if self._stream.is_over:
            return
        self.is_begun = True
        self._stream.take()
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


class IncomingStream:
    """The body of a request whose guest reads it as it comes. `closes` says whether the connection
    does after an answer even if all of the body was read."""

    def __init__(
        self, connection: PartedConnection, body: Body, bytes_max: int, *, closes: bool
    ) -> None:
        self.closes = closes
        self._connection = connection
        self._body = body
        self._bytes_max = bytes_max
        self._resuming: asyncio.Task[None] | None = None
        self.pipe = Pipe(BUFFERED_BYTES_MAX)

    def offer(self, pieces: list[bytes]) -> None:
        """Some of it has come. Raises Refusal."""
        for piece in pieces:
            self.pipe.write(piece)
        if self.pipe.written_bytes > self._bytes_max:
            raise body_too_large(self._bytes_max)
        if not self.pipe.room_bytes and self._resuming is None:
            self._connection.full = True
            self._resuming = asyncio.get_running_loop().create_task(self._resume())

    def end(self) -> None:
        """That was all of it."""
        self.pipe.close(read_trailers(self._body.trailers))

    def cancel(self) -> None:
        """The message is over, or its peer is gone."""
        if self._resuming is not None:
            self._resuming.cancel()
            self._connection.full = False
        self.pipe.close(is_cut=True)

    async def _resume(self) -> None:
        await self.pipe.await_room()
        self._resuming = None
        self._connection.full = False
        self._connection.goes_on()
