"""Bytes on their way from one who writes to one who reads, neither of them far ahead.

Neighbours: `host/` writes what a guest answers and reads what it is sent; `front/` has the other
ends. The pieces are passed on as they are, but for small ones in a row: each alone takes 50
bytes more.
Invariant: what is read is what was written, in its order; nothing is written to a closed pipe, nor
more than fits by who asks for room first. Used on one event loop.
"""

import asyncio
from collections import deque
from typing import Self

from edge.model.limits import KIB

SMALL_BYTES = 1 * KIB
JOINED_BYTES_MAX = 64 * KIB

Trailers = tuple[tuple[str, str], ...]
"""Fields behind a body: names in lower case, values in Latin-1."""


class Pipe:
    """The way of one body. `bytes_max` is how much may wait to be read.

    `written_bytes` counts all there ever was. `trailers` are there when it is closed. `is_cut` says
    that it was closed before its content was whole.
    """

    __slots__ = (
        "_changed",
        "_is_closed",
        "_is_discarding",
        "_pieces",
        "_size",
        "bytes_max",
        "is_cut",
        "trailers",
        "written_bytes",
    )

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.written_bytes = 0
        self.trailers: Trailers = ()
        self.is_cut = False
        self._pieces: deque[bytes | bytearray | memoryview] = deque()
        self._size = 0
        self._is_closed = False
        self._is_discarding = False
        self._changed = asyncio.Event()

    @classmethod
    def holding(cls, data: bytes, trailers: Trailers = ()) -> Self:
        """One that was closed behind these bytes."""
        pipe = cls(len(data))
        pipe.write(data)
        pipe.close(trailers)
        return pipe

    # Writing

    @property
    def room_bytes(self) -> int:
        """How much may be written now."""
        return max(0, self.bytes_max - self._size)

    async def await_room(self) -> None:
        """Return when something may be written, or nobody will read it any more."""
        while self._size >= self.bytes_max and not self._is_closed:
            await self._change()

    def widen(self, bytes_max: int) -> None:
        """Let so much wait from now on."""
        self.bytes_max = bytes_max
        self._changed.set()

    def write(self, data: bytes | memoryview) -> None:
        """Put a piece behind the others; no more than there is room for."""
        if data and not self._is_closed:
            self.written_bytes += len(data)
            if not self._is_discarding:
                self._append(data)
                self._size += len(data)
                self._changed.set()

    def _append(self, data: bytes | memoryview) -> None:
        pieces = self._pieces
        if pieces and len(data) < SMALL_BYTES:
            last = pieces[-1]
            if not isinstance(last, bytearray) and len(last) < SMALL_BYTES:
                last = pieces[-1] = bytearray(last)
            if isinstance(last, bytearray) and len(last) < JOINED_BYTES_MAX:
                last += data
                return
        pieces.append(data)

    async def write_all(self, data: bytes) -> None:
        """Put all of it behind the others, as room comes; return when the last of it is in."""
        rest = memoryview(data)
        while rest and not self._is_closed:
            await self.await_room()
            room = self.room_bytes
            self.write(rest[:room])
            rest = rest[room:]

    def close(self, trailers: Trailers = (), *, is_cut: bool = False) -> None:
        """Nothing more is written. What waits can still be read. Only the first close counts."""
        if not self._is_closed:
            self._is_closed = True
            self.trailers = trailers
            self.is_cut = is_cut
            self._changed.set()

    # Reading

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be read."""
        return self._size

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be written."""
        return self._is_closed

    @property
    def is_ended(self) -> bool:
        """Whether all was read that ever will be there."""
        return self._is_closed and not self._size

    def discard(self) -> None:
        """Nobody reads any more: what waits is dropped, and what still comes."""
        self._is_discarding = True
        self._pieces.clear()
        self._size = 0
        self._changed.set()

    async def await_close(self) -> None:
        """Return when nothing more will be written."""
        while not self._is_closed:
            await self._change()

    async def await_data(self) -> None:
        """Return when there is something to read, or never will be."""
        while not (self._size or self._is_closed):
            await self._change()

    def read(self, bytes_max: int | None = None) -> bytes:
        """What waits, at most `bytes_max` of it; empty when there is nothing now."""
        pieces = self._pieces
        if not pieces:
            return b""
        if bytes_max is None or self._size <= bytes_max:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            self._size = 0
        else:
            data = b"".join(self._taken(bytes_max))
            self._size -= len(data)
        self._changed.set()
        return bytes(data)

    def _taken(self, bytes_max: int) -> list[bytes | bytearray | memoryview]:
        """The first pieces, as much as `bytes_max` of them."""
        taken: list[bytes | bytearray | memoryview] = []
        while bytes_max and self._pieces:
            piece = self._pieces.popleft()
            if len(piece) > bytes_max:
                view = memoryview(piece)
                self._pieces.appendleft(view[bytes_max:])
                piece = view[:bytes_max]
            taken.append(piece)
            bytes_max -= len(piece)
        return taken

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
