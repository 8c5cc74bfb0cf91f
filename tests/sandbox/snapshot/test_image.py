"""Images of memory: they give the memory back, stay small in number, and stay copy-on-write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.errors import SnapshotRefused
from edge.sandbox.snapshot.image import (
    PAGE_BYTES,
    SPAN_ALWAYS_MAPPED_BYTES,
    Run,
    fill_gaps,
    make_image,
    nonzero_runs,
)

PAGES = 3
MEMORY_BYTES = PAGES * PAGE_BYTES
PIECES = st.lists(
    st.tuples(st.integers(0, MEMORY_BYTES - 1), st.binary(min_size=1, max_size=200)), max_size=12
)


@st.composite
def run_lists(draw: st.DrawFn) -> list[Run]:
    """Runs in order and apart, spread over up to some 400 MB."""
    runs, position = [], 0
    sizes = st.one_of(st.integers(1, 5_000), st.integers(1, 20_000_000))
    for gap, length in draw(st.lists(st.tuples(sizes, sizes), min_size=1, max_size=20)):
        runs.append((position + gap, position + gap + length))
        position += gap + length
    return runs


def written(runs: list[tuple[int, bytes]]) -> bytes:
    """A zeroed memory with the runs written over it."""
    memory = bytearray(MEMORY_BYTES)
    for start, data in runs:
        memory[start : start + len(data)] = data
    return bytes(memory)


@given(PIECES, st.integers(1, 5))
@settings(deadline=None)
def test_an_image_gives_the_memory_back(pieces: list[tuple[int, bytes]], runs_max: int) -> None:
    """Not a byte is lost or moved, however few runs are allowed."""
    memory = bytearray(MEMORY_BYTES)
    for start, piece in pieces:
        memory[start : start + len(piece)] = piece
    memory = memory[:MEMORY_BYTES]
    image = make_image(bytes(memory), runs_max, MEMORY_BYTES)
    assert image.pages == PAGES
    assert len(image.runs) <= runs_max
    assert written(list(image.runs)) == memory
    assert image.data_bytes == sum(len(data) for _, data in image.runs)


@given(PIECES)
@settings(deadline=None)
def test_runs_begin_and_end_with_what_is_there(pieces: list[tuple[int, bytes]]) -> None:
    """Zeros at the ends of a run would only make the image larger."""
    memory = written([(start, piece[: MEMORY_BYTES - start]) for start, piece in pieces])
    for start, end in nonzero_runs(memory):
        assert memory[start]
        assert memory[end - 1]


@given(run_lists(), st.integers(1, 25))
@settings(deadline=None)
def test_filled_gaps_keep_the_image_copy_on_write(runs: list[Run], runs_max: int) -> None:
    """Wasmtime maps a span under 16 MiB, or under twice its data; else it copies at each start."""
    filled = fill_gaps(runs, runs_max)
    span = filled[-1][1] - filled[0][0]
    data = sum(end - start for start, end in filled)
    assert span < SPAN_ALWAYS_MAPPED_BYTES or span < 2 * data
    assert len(filled) <= runs_max
    assert (filled[0][0], filled[-1][1]) == (runs[0][0], runs[-1][1])
    assert all(any(a <= start and end <= b for a, b in filled) for start, end in runs)


def test_only_the_smallest_gaps_are_filled() -> None:
    """Zeros cost file size, so no more are written than it takes."""
    mib = 1024 * 1024
    near = [(0, 10), (100, 110), (1000, 1001)]
    assert fill_gaps(near, 3) == near
    assert fill_gaps(near, 2) == [(0, 110), (1000, 1001)]
    half_empty = [(0, 7 * mib), (9 * mib, 11 * mib), (24 * mib, 30 * mib)]
    assert fill_gaps(half_empty, 3) == [(0, 11 * mib), (24 * mib, 30 * mib)]


def test_an_image_over_its_limit_is_refused() -> None:
    """A deploy does not write more than it was allowed to, and says how much it would be."""
    with pytest.raises(SnapshotRefused, match="65536 bytes, over the limit of 1000"):
        make_image(b"x" * PAGE_BYTES, 10, 1000)
