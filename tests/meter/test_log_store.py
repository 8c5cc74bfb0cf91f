"""Logs: each line shown once, in order, to its own function; bounded on disk and per call."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.meter import log_scan, logs
from edge.meter.log_records import CHARACTERS_PER_RECORD_MAX, LINES_PER_RECORD_MAX, LogEntry
from edge.meter.logs import LINES_READ_MAX, LogStore
from edge.model.errors import InvalidRequest, StorageFailure
from edge.model.result import LogLine
from edge.storage.segments import list_segments
from tests.storage.processes import run_python

NOW_MS = 1_700_000_000_000


def lines(*messages: str, time_ms: int = NOW_MS) -> tuple[LogLine, ...]:
    """What one invocation logged."""
    return tuple(LogLine(time_ms, 2, message) for message in messages)


def read_all(store: LogStore, function: str = "hello", limit: int = 3) -> list[LogEntry]:
    """Every line, page by page, until the cursor stays the same."""
    entries: list[LogEntry] = []
    cursor: str | None = None
    for _ in range(10_000):
        page, following = store.read(function, cursor, limit)
        assert len(page) <= limit
        entries += page
        if following == cursor:
            assert not page
            return entries
        cursor = following
    raise AssertionError("reading never caught up")


def messages(entries: list[LogEntry]) -> list[str]:
    """The texts alone."""
    return [entry.message for entry in entries]


def test_lines_come_back_with_where_they_came_from(tmp_path: Path) -> None:
    """Time, level, text, request and version."""
    store = LogStore(tmp_path, "w0")
    store.append("hello", "r1", (LogLine(NOW_MS, 3, "careful"),), "$LATEST")
    entries, _ = store.read("hello", None, 10)
    assert entries == (LogEntry(NOW_MS, "r1", "$LATEST", 3, "careful"),)


def test_a_function_sees_its_own_lines_only(tmp_path: Path) -> None:
    """Functions share segments and never each other's lines."""
    store = LogStore(tmp_path, "w0")
    store.append("hello", "r1", lines("mine"), "1")
    store.append("other", "r2", lines("theirs"), "1")
    store.append("hello", "r3", lines("mine too"), "1")
    assert messages(read_all(store)) == ["mine", "mine too"]
    assert messages(read_all(store, "other")) == ["theirs"]
    assert read_all(store, "nobody") == []


def test_following_shows_each_line_once(tmp_path: Path) -> None:
    """`logs -f`: from a cursor on come the lines appended since, and nothing else."""
    store = LogStore(tmp_path, "w0", segment_bytes_max=300)
    cursor: str | None = None
    for number in range(40):
        store.append("hello", "r", lines(f"{number}a", f"{number}b"), "1")
        page, cursor = store.read("hello", cursor, 10)
        assert messages(list(page)) == [f"{number}a", f"{number}b"]
        assert store.read("hello", cursor, 10) == ((), cursor)


def test_a_page_may_end_within_an_invocation(tmp_path: Path) -> None:
    """The limit holds to the line, and the next page goes on from there."""
    store = LogStore(tmp_path, "w0")
    for number in range(4):
        store.append("hello", "r", lines(*(f"{number}.{line}" for line in range(5))), "1")
    expected = [f"{number}.{line}" for number in range(4) for line in range(5)]
    for limit in (1, 2, 3, 7, 20, 100):
        assert messages(read_all(store, limit=limit)) == expected


def test_workers_are_merged_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines appended by turns on two workers come in that order, whatever the page."""
    clock = set_clock(monkeypatch)
    stores = [LogStore(tmp_path, worker) for worker in ("w0", "w1")]
    for number in range(20):
        clock(number)
        stores[number * number % 3 % 2].append("hello", "r", lines(str(number)), "1")
    for limit in (1, 2, 5, 50):
        assert messages(read_all(stores[0], limit=limit)) == [str(n) for n in range(20)]


def test_a_sparse_worker_waits_for_a_busy_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order holds when one worker's lines take many reads and the other's only one."""
    monkeypatch.setattr(log_scan, "PAGES_PER_SCAN_MAX", 1)
    clock = set_clock(monkeypatch)
    busy, sparse = LogStore(tmp_path, "w0", segment_bytes_max=900), LogStore(tmp_path, "w1")
    for number in range(200):
        clock(number)
        busy.append("noise" if number % 10 else "hello", "r", lines(str(number)), "1")
        if number % 50 == 5:
            sparse.append("hello", "r", lines(str(number)), "1")
    found = [int(message) for message in messages(read_all(busy, limit=100))]
    assert len(found) == 24
    assert found == sorted(found)


def test_a_clock_set_back_loses_and_reorders_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker's lines keep the order they were appended in."""
    clock = set_clock(monkeypatch)
    stores = [LogStore(tmp_path, worker, segment_bytes_max=200) for worker in ("w0", "w1")]
    times = [100, 200, 50, 60, 10, 300, 20]
    for number, time_ms in enumerate(times):
        for worker, store in enumerate(stores):
            clock(time_ms)
            store.append("hello", "r", lines(f"{worker}:{number}"), "1")
    for limit in (1, 2, 100):
        found = messages(read_all(stores[0], limit=limit))
        for worker in range(2):
            mine = [each for each in found if each.startswith(f"{worker}:")]
            assert mine == [f"{worker}:{number}" for number in range(len(times))]


def test_reading_through_much_of_others_ends(tmp_path: Path) -> None:
    """A call that finds nothing within its bound still gets on, until it has caught up."""
    store = LogStore(tmp_path, "w0", segment_bytes_max=200)
    for number in range(60):
        store.append("noise", "r", lines(str(number)), "1")
    store.append("hello", "r", lines("at last"), "1")
    first, cursor = store.read("hello", None, 10)
    assert first == ()
    assert store.read("hello", cursor, 10)[1] != cursor
    assert messages(read_all(store)) == ["at last"]


def test_oldest_segments_go_and_readers_go_on(tmp_path: Path) -> None:
    """Disk use is bounded; a reader that fell behind goes on at the oldest line kept."""
    store = LogStore(tmp_path, "w0", segment_bytes_max=300, segments_max=4)
    store.append("hello", "r", lines("first"), "1")
    _, cursor = store.read("hello", None, 10)
    for number in range(100):
        store.append("hello", "r", lines(f"{number:03d}"), "1")
        assert len(list_segments(tmp_path)) <= 4
    assert sum(each.path.stat().st_size for each in list_segments(tmp_path)) <= 4 * 300
    page, _ = store.read("hello", cursor, 1_000)
    assert messages(list(page)) == messages(read_all(store))
    assert messages(list(page))[-1] == "099"
    assert all(int(b) == int(a) + 1 for a, b in pairwise(messages(list(page))))


def test_a_restarted_worker_s_lines_follow(tmp_path: Path) -> None:
    """Lines from before a restart stay readable, and a cursor goes across it."""
    first = LogStore(tmp_path, "w0")
    first.append("hello", "r", lines("before"), "1")
    _, cursor = first.read("hello", None, 10)
    first.close()
    second = LogStore(tmp_path, "w0")
    second.append("hello", "r", lines("after"), "1")
    assert messages(list(second.read("hello", cursor, 10)[0])) == ["after"]
    assert messages(read_all(second)) == ["before", "after"]


def test_a_torn_record_hides_nothing_after_it(tmp_path: Path) -> None:
    """A worker killed while logging loses that record at most."""
    store = LogStore(tmp_path, "w0")
    store.append("hello", "r", lines("whole"), "1")
    store.append("hello", "r", lines("torn"), "1")
    store.close()
    (segment,) = list_segments(tmp_path)
    os.truncate(segment.path, segment.path.stat().st_size - 2)
    cursor = store.read("hello", None, 10)[1]
    restarted = LogStore(tmp_path, "w0")
    restarted.append("hello", "r", lines("next"), "1")
    assert messages(read_all(restarted)) == ["whole", "next"]
    assert messages(list(restarted.read("hello", cursor, 10)[0])) == ["next"]


def test_a_cursor_of_other_data_starts_over(tmp_path: Path) -> None:
    """After the logs were deleted, an old cursor does not wait for numbers long past."""
    store = LogStore(tmp_path, "w0")
    store.append("hello", "r", lines("new"), "1")
    assert messages(list(store.read("hello", "w0.99.5.0", 10)[0])) == ["new"]
    assert messages(list(store.read("hello", "w7.1.5.0", 10)[0])) == ["new"]


@given(sequence=st.integers(0, 5), offset=st.integers(0, 3_000), line=st.integers(0, 20))
@settings(max_examples=200)
def test_a_forged_cursor_shows_no_other_function(
    tmp_path_factory: pytest.TempPathFactory, sequence: int, offset: int, line: int
) -> None:
    """Any position, also in the middle of a record, ends in a page of this function's lines."""
    directory = tmp_path_factory.mktemp("forged")
    store = LogStore(directory, "w0", segment_bytes_max=400)
    for number in range(12):
        store.append("secret", "r", lines(f"secret {number}"), "1")
        store.append("hello", "r", lines(f"{number}a", f"{number}b"), "1")
    page, cursor = store.read("hello", f"w0.{sequence}.{offset}.{line}", 100)
    assert all("secret" not in entry.message for entry in page)
    assert store.read("hello", cursor, 100)[1]
    store.close()


@pytest.mark.parametrize("limit", [0, -1, LINES_READ_MAX + 1])
def test_a_limit_out_of_bounds_is_refused(tmp_path: Path, limit: int) -> None:
    """A call's answer is bounded."""
    with pytest.raises(InvalidRequest, match="limit"):
        LogStore(tmp_path, "w0").read("hello", None, limit)


def test_a_malformed_cursor_is_refused(tmp_path: Path) -> None:
    """The caller's mistake, not ours."""
    with pytest.raises(InvalidRequest, match="cursor"):
        LogStore(tmp_path, "w0").read("hello", "nonsense", 10)


def test_a_flood_of_lines_is_kept_whole(tmp_path: Path) -> None:
    """However many lines, and however long, an invocation's log fits the records."""
    store = LogStore(tmp_path, "w0")
    short = lines(*(str(number) for number in range(3 * LINES_PER_RECORD_MAX + 5)))
    store.append("many", "r", short, "1")
    assert messages(read_all(store, "many", 1_000)) == [line.message for line in short]
    long = "\N{GRINNING FACE}" * (CHARACTERS_PER_RECORD_MAX * 2 + 10)
    store.append("long", "r", lines("a", long, "b"), "1")
    found = messages(read_all(store, "long", 1))
    assert "".join(found) == f"a{long}b"
    assert len(found) == 5


def test_nothing_logged_writes_nothing(tmp_path: Path) -> None:
    """A quiet function costs no disk."""
    LogStore(tmp_path, "w0").append("hello", "r", (), "1")
    assert list_segments(tmp_path) == ()


_LOG_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from edge.meter.logs import LogStore
from edge.model.errors import StorageFailure
from edge.model.result import LogLine
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
store = LogStore(Path(sys.argv[1]), "w0")
kept = 0
try:
    for kept in range(100):
        store.append("hello", "r", (LogLine(0, 2, str(kept)),), "1")
except StorageFailure as error:
    print(kept, error.message)
"""


def test_a_full_disk_is_told_and_tears_nothing(tmp_path: Path) -> None:
    """What was kept before stays readable."""
    kept, message = run_python(_LOG_ON_A_FULL_DISK, tmp_path).split(maxsplit=1)
    assert "disk is full" in message
    assert messages(read_all(LogStore(tmp_path, "w1"))) == [str(n) for n in range(int(kept))]


def test_a_directory_that_cannot_be_had_is_a_storage_failure(tmp_path: Path) -> None:
    """The operating system's errors do not leak."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailure):
        LogStore(tmp_path / "file", "w0")


histories = st.lists(
    st.tuples(
        st.sampled_from(["w0", "w1"]),
        st.sampled_from(["hello", "other"]),
        st.integers(0, 50),
        st.lists(st.text(max_size=8), max_size=4),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(history=histories, limit=st.integers(1, 9), segment_bytes_max=st.integers(60, 400))
def test_every_line_is_shown_once_in_its_worker_s_order(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[str, str, int, list[str]]],
    limit: int,
    segment_bytes_max: int,
) -> None:
    """Whoever appends what when, at any page and segment size, by a clock that jumps."""
    directory = tmp_path_factory.mktemp("logs")
    with pytest.MonkeyPatch.context() as patch:
        clock = set_clock(patch)
        stores = {
            worker: LogStore(directory, worker, segment_bytes_max=segment_bytes_max)
            for worker in ("w0", "w1")
        }
        wanted: dict[str, list[str]] = {"w0": [], "w1": []}
        for worker, function, time_ms, texts in history:
            clock(time_ms)
            stores[worker].append(function, worker, lines(*texts), "1")
            if function == "hello":
                wanted[worker] += texts
    entries = read_all(stores["w0"], limit=limit)
    for worker, texts in wanted.items():
        assert [entry.message for entry in entries if entry.request_id == worker] == texts
        stores[worker].close()


def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the tests say what time it is, in ms."""

    def set_to(time_ms: int) -> None:
        monkeypatch.setattr(logs.time, "time_ns", lambda: time_ms * 1_000_000)

    return set_to
