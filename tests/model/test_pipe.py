"""Bytes between two rooms: in order, never more of them than fit, and an end that is told."""

import asyncio
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from edge.model.pipe import Pipe


@given(
    st.lists(st.binary(max_size=40)),
    st.lists(st.one_of(st.none(), st.integers(1, 24)), min_size=1),
    st.integers(1, 32),
)
def test_what_is_read_is_what_was_written(
    pieces: list[bytes], reads: list[int | None], bytes_max: int
) -> None:
    """Whatever the sizes; and no more than the bound ever waits."""

    async def run() -> bytes:
        pipe = Pipe(bytes_max)

        async def write() -> None:
            for piece in pieces:
                await pipe.write_all(piece)
            pipe.close()

        writing = asyncio.create_task(write())
        read, turn = b"", 0
        while not pipe.is_ended:
            await pipe.await_data()
            assert pipe.waiting_bytes <= bytes_max
            most = reads[turn % len(reads)]
            data = pipe.read(most)
            assert most is None or len(data) <= most
            read += data
            turn += 1
        await writing
        assert pipe.written_bytes == len(read)
        return read

    assert asyncio.run(run()) == b"".join(pieces)


async def test_small_pieces_take_little_more_than_their_bytes() -> None:
    """A guest that writes byte by byte makes its host keep no multiple of its bound."""
    size = 1 << 18
    pipe = Pipe(size)
    tracemalloc.start()
    try:
        for number in range(size // 2):
            pipe.write((number % 60_000).to_bytes(2))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pipe.waiting_bytes == size
    assert taken < 2 * size


async def test_a_writer_waits_for_room() -> None:
    """It goes on when something was read, and when nobody will read any more."""
    pipe = Pipe(4)
    writing = asyncio.create_task(pipe.write_all(b"abcdefgh"))
    await asyncio.sleep(0)
    assert (pipe.room_bytes, writing.done()) == (0, False)
    assert pipe.read(1) == b"a"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (pipe.waiting_bytes, writing.done()) == (4, False)
    pipe.close()
    await writing
    assert pipe.read() == b"bcde"


async def test_a_pipe_may_become_wider() -> None:
    """Then who waited goes on."""
    pipe = Pipe(2)
    writing = asyncio.create_task(pipe.write_all(b"abcdef"))
    await asyncio.sleep(0)
    pipe.widen(100)
    await writing
    assert pipe.read() == b"abcdef"


async def test_the_end_comes_once() -> None:
    """With its trailers, behind what waits; whoever closes later changes nothing."""
    pipe = Pipe(8)
    pipe.write(b"ab")
    pipe.close((("x", "y"),))
    pipe.close(is_cut=True)
    pipe.write(b"c")
    await pipe.await_data()
    assert (pipe.is_closed, pipe.is_ended) == (True, False)
    assert pipe.read() == b"ab"
    await pipe.await_data()
    assert (pipe.is_ended, pipe.is_cut, pipe.trailers) == (True, False, (("x", "y"),))
