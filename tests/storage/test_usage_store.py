"""The contract of a UsageStore, over every backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model.errors import StorageFailure
from edge.storage.sqlite.usage import SqliteUsage
from edge.storage.usage import Progress, Selection, Tally, UsageStore

ONE = Tally(requests=1, errors=1, rejected=2, billed_ms=3, megabyte_ms=384, fuel=10**12)
ALL = Selection()


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UsageStore]:
    """An empty store."""
    opened = SqliteUsage(tmp_path / "usage.db")
    yield opened
    opened.close()


def times(number: int, tally: Tally = ONE) -> Tally:
    """A tally added to itself."""
    return Tally(*(number * each for each in tally))


def test_tallies_add_up(store: UsageStore) -> None:
    """Sums over segments, by function and by day."""
    assert store.add("w0-1", 0, 10, {("a", 1): ONE, ("b", 2): ONE})
    assert store.add("w0-1", 10, 20, {("a", 1): ONE})
    assert store.add("w1-1", 0, 5, {("a", 2): ONE})
    assert store.totals("function", ALL, 10) == (("a", times(3)), ("b", ONE))
    assert store.totals("day", ALL, 10) == ((1, times(2)), (2, times(2)))
    assert store.progress() == {"w0-1": Progress(20), "w1-1": Progress(5)}


def test_selections_narrow_the_totals(store: UsageStore) -> None:
    """By function, by first and last day inclusive, and by number of rows."""
    store.add("s", 0, 1, {(name, day): ONE for name in "abc" for day in range(5)})
    assert store.totals("day", Selection(function="b"), 10)[0] == (0, ONE)
    assert store.totals("day", Selection(since_day=3), 10) == ((3, times(3)), (4, times(3)))
    assert store.totals("function", Selection("a", 1, 2), 10) == (("a", times(2)),)
    assert len(store.totals("function", ALL, 2)) == 2
    assert store.totals("function", Selection("nobody"), 10) == ()


@pytest.mark.parametrize("start", [0, 5, 11])
def test_bytes_are_counted_only_from_where_counting_stands(store: UsageStore, start: int) -> None:
    """Whoever believes otherwise adds nothing."""
    store.add("s", 0, 10, {("a", 1): ONE})
    assert not store.add("s", start, 20, {("a", 1): ONE})
    assert store.totals("function", ALL, 10) == (("a", ONE),)
    assert store.progress() == {"s": Progress(10)}


def test_a_new_segment_is_counted_from_its_beginning(store: UsageStore) -> None:
    """An unknown segment has nothing consumed."""
    assert not store.add("s", 5, 10, {("a", 1): ONE})
    assert store.progress() == {}


def test_archiving_keeps_the_sums_and_closes_the_segment(store: UsageStore) -> None:
    """An archived segment counts no more bytes, and its totals stay."""
    for segment in ("s1", "s2", "s3"):
        store.add(segment, 0, 10, {("a", 1): ONE})
    assert not store.archive("s1", 9)
    assert store.archive("s1", 10)
    assert store.archive("s2", 10)
    assert not store.archive("s1", 10)
    assert not store.add("s1", 10, 20, {("a", 1): ONE})
    assert store.totals("function", ALL, 10) == (("a", times(3)),)
    assert store.progress()["s1"] == Progress(10, archived=True)


def test_a_segment_without_records_can_be_archived(store: UsageStore) -> None:
    """A worker that was killed before its first record leaves nothing to trip over."""
    assert store.archive("s", 0)
    assert store.progress() == {"s": Progress(0, archived=True)}


def test_forgetting_is_for_archived_segments_only(store: UsageStore) -> None:
    """Progress that is still needed stays."""
    store.add("open", 0, 10, {("a", 1): ONE})
    store.add("done", 0, 10, {("a", 1): ONE})
    store.archive("done", 10)
    store.forget("open")
    store.forget("done")
    assert store.progress() == {"open": Progress(10)}
    assert store.totals("function", ALL, 10) == (("a", times(2)),)


def test_a_reset_spares_what_cannot_be_counted_again(store: UsageStore) -> None:
    """Archived sums exist nowhere else."""
    store.add("done", 0, 10, {("a", 1): ONE})
    store.archive("done", 10)
    store.add("open", 0, 10, {("a", 1): ONE, ("b", 1): ONE})
    store.reset()
    assert store.totals("function", ALL, 10) == (("a", ONE),)
    assert store.progress() == {"done": Progress(10, archived=True)}
    assert store.add("open", 0, 10, {("a", 1): ONE})


def test_totals_survive_a_restart(tmp_path: Path) -> None:
    """What was added is on disk."""
    first = SqliteUsage(tmp_path / "usage.db")
    first.add("s", 0, 10, {("a", 1): ONE})
    first.close()
    second = SqliteUsage(tmp_path / "usage.db")
    assert second.totals("function", ALL, 10) == (("a", ONE),)
    second.close()
    with pytest.raises(StorageFailure):
        second.progress()
