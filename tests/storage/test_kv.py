"""The contract of `Kv`, held against every backend; and what SQLite's must survive."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model import cbor
from edge.model.errors import Conflict, InvalidRequest, StorageFailure
from edge.storage.kv import INCREMENT_MAX, Entry, Kv, Listed, Quota, QuotaExceeded
from edge.storage.sqlite.kv import SqliteKv
from tests.storage.kv_process import NAMESPACE

A, B = "fn:a", "fn:b"
ONE = cbor.encode(1)
ROOT = Path(__file__).parents[2]


OpenKv = Callable[..., Kv]


class Clock:
    """A clock that tests set, in Unix ms."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        """The time."""
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    """The clock of `kv`."""
    return Clock()


@pytest.fixture(params=["sqlite"])
def open_kv(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[OpenKv]:
    """Opens the same store as often as it is called; closes all of them."""
    opened: list[Kv] = []

    def open_one(quota: Quota | None = None) -> Kv:
        assert request.param == "sqlite"
        kv = SqliteKv(tmp_path / "kv.db", quota=quota, clock=clock, upkeep_interval_s=60)
        opened.append(kv)
        return kv

    yield open_one
    for kv in opened:
        kv.close()


@pytest.fixture
def kv(open_kv: OpenKv) -> Kv:
    """An empty store."""
    return open_kv()


async def test_a_value_comes_back_with_its_version(kv: Kv) -> None:
    """The bytes that were put are the bytes that are got."""
    version = await kv.put(A, "key", ONE)
    assert kv.get(A, "key") == Entry(ONE, version, None)
    assert kv.get(A, "other") is None


async def test_namespaces_do_not_see_each_other(kv: Kv) -> None:
    """One function's keys are not another's."""
    await kv.put(A, "key", ONE)
    assert kv.get(B, "key") is None
    assert kv.list(B, prefix="", after="", limit=10).entries == ()
    assert not await kv.delete(B, "key")
    await kv.clear(B)
    assert kv.get(A, "key") is not None


async def test_another_process_sees_what_was_acknowledged(open_kv: OpenKv) -> None:
    """Workers share the store."""
    first, second = open_kv(), open_kv()
    version = await first.put(A, "key", ONE)
    assert second.get(A, "key") == Entry(ONE, version, None)


async def test_compare_and_set_writes_only_over_the_expected_version(kv: Kv) -> None:
    """Zero means absent; any other version must be the present one."""
    version = await kv.put(A, "key", ONE, if_version=0)
    with pytest.raises(Conflict):
        await kv.put(A, "key", ONE, if_version=0)
    with pytest.raises(Conflict):
        await kv.put(A, "key", ONE, if_version=version + 1)
    newer = await kv.put(A, "key", ONE, if_version=version)
    with pytest.raises(Conflict):
        await kv.delete(A, "key", if_version=version)
    assert newer > version
    assert await kv.delete(A, "key", if_version=newer)
    assert not await kv.delete(A, "key")


async def test_a_version_is_never_used_again(kv: Kv, clock: Clock) -> None:
    """After a delete, an expiry or a clear, a version remembered from before cannot match."""
    seen = [await kv.put(A, "key", ONE, ttl_ms=10)]
    clock.now_ms += 10
    seen.append(await kv.put(A, "key", ONE, if_version=0))
    await kv.delete(A, "key")
    seen.append(await kv.put(A, "key", ONE, if_version=0))
    await kv.clear(A)
    seen.append(await kv.put(A, "key", ONE, if_version=0))
    assert seen == sorted(set(seen))


async def test_an_expired_entry_is_gone_at_once(kv: Kv, clock: Clock) -> None:
    """For get, list, delete and compare-and-set alike, without waiting for a sweep."""
    await kv.put(A, "key", ONE, ttl_ms=5)
    clock.now_ms += 4
    assert kv.get(A, "key") is not None
    clock.now_ms += 1
    assert kv.get(A, "key") is None
    assert kv.list(A, prefix="", after="", limit=10).entries == ()
    assert not await kv.delete(A, "key")
    assert await kv.put(A, "key", ONE, if_version=0)


async def test_a_put_sets_the_expiry_anew(kv: Kv, clock: Clock) -> None:
    """A put without a time to live makes the entry last."""
    await kv.put(A, "key", ONE, ttl_ms=5)
    version = await kv.put(A, "key", ONE)
    clock.now_ms += 5
    assert kv.get(A, "key") == Entry(ONE, version, None)


async def test_increments_add_up(kv: Kv) -> None:
    """From nothing, by more than one, downwards; many at once lose none."""
    assert (await kv.increment(A, "n", 5)).value == 5
    assert (await kv.increment(A, "n", -7)).value == -2
    await asyncio.gather(*(kv.increment(A, "n", 1) for _ in range(100)))
    counted = await kv.increment(A, "n", 0)
    assert counted.value == 98
    assert kv.get(A, "n") == Entry(cbor.encode(98), counted.version, None)


async def test_increment_refuses_what_is_no_integer(kv: Kv) -> None:
    """The value that is there stays."""
    await kv.put(A, "key", cbor.encode("text"))
    with pytest.raises(InvalidRequest, match="not an integer"):
        await kv.increment(A, "key", 1)
    await kv.put(A, "key", cbor.encode(INCREMENT_MAX))
    with pytest.raises(InvalidRequest, match="64 bits"):
        await kv.increment(A, "key", 1)
    entry = kv.get(A, "key")
    assert entry is not None
    assert cbor.decode(entry.value) == INCREMENT_MAX


async def test_a_counter_keeps_its_window(kv: Kv, clock: Clock) -> None:
    """A time to live holds from the first increment, so that a busy counter ends too."""
    await kv.increment(A, "n", 1, ttl_ms=10)
    clock.now_ms += 9
    assert (await kv.increment(A, "n", 1, ttl_ms=10)).value == 2
    clock.now_ms += 1
    assert (await kv.increment(A, "n", 1, ttl_ms=10)).value == 1


async def test_a_list_is_in_pages_and_in_order(kv: Kv) -> None:
    """Every key with the prefix appears once, in order of its bytes."""
    keys = ["a", "b/1", "b/2", "b/é", "b/\U0010ffff", "b0", "c"]
    await asyncio.gather(*(kv.put(A, key, ONE) for key in reversed(keys)))
    first = kv.list(A, prefix="b/", after="", limit=3)
    assert [entry.key for entry in first.entries] == ["b/1", "b/2", "b/é"]
    assert first.next == "b/é"
    second = kv.list(A, prefix="b/", after=first.next, limit=3)
    assert [entry.key for entry in second.entries] == ["b/\U0010ffff"]
    assert second.next is None


async def test_a_list_looks_at_no_more_than_its_limit(kv: Kv, clock: Clock) -> None:
    """Expired entries make a page short, not slow; its cursor leads on."""
    for key in "abcd":
        await kv.put(A, key, ONE, ttl_ms=5 if key in "ab" else None)
    clock.now_ms += 5
    first = kv.list(A, prefix="", after="", limit=2)
    assert (first.entries, first.next) == ((), "b")
    second = kv.list(A, prefix="", after="b", limit=2)
    assert [entry.key for entry in second.entries] == ["c", "d"]


async def test_the_quota_of_entries_holds(open_kv: OpenKv, clock: Clock) -> None:
    """A full namespace takes changes, not additions; the room of expired entries is free."""
    kv = open_kv(Quota(entries_max=2))
    await kv.put(A, "a", ONE, ttl_ms=5)
    await kv.put(A, "b", ONE)
    with pytest.raises(QuotaExceeded):
        await kv.put(A, "c", ONE)
    assert kv.get(A, "c") is None
    await kv.put(A, "b", ONE)
    await kv.put(B, "a", ONE)
    clock.now_ms += 5
    await kv.put(A, "c", ONE)
    with pytest.raises(QuotaExceeded):
        await kv.increment(A, "d", 1)
    await kv.delete(A, "b")
    await kv.increment(A, "d", 1)


async def test_the_quota_of_bytes_holds(open_kv: OpenKv) -> None:
    """Keys and values count, and what replaces a value counts instead of it."""
    kv = open_kv(Quota(bytes_max=100))
    await kv.put(A, "key", b"x" * 97)
    with pytest.raises(QuotaExceeded):
        await kv.put(A, "key", b"x" * 98)
    with pytest.raises(QuotaExceeded):
        await kv.put(A, "k", b"")
    await kv.put(A, "key", b"x" * 90)
    await kv.put(A, "k", b"x" * 6)
    await kv.clear(A)
    await kv.put(A, "key", b"x" * 97)


async def test_one_refused_write_does_not_touch_its_neighbours(kv: Kv) -> None:
    """Writes that share a commit succeed and fail each for itself."""
    await kv.put(A, "taken", ONE)
    results = await asyncio.gather(
        kv.put(A, "x", ONE),
        kv.put(A, "taken", ONE, if_version=0),
        kv.increment(A, "n", 1),
        return_exceptions=True,
    )
    assert isinstance(results[1], Conflict)
    assert kv.get(A, "x") is not None
    assert kv.get(A, "n") is not None


async def test_clear_removes_everything(kv: Kv) -> None:
    """More than one batch of it, too."""
    await asyncio.gather(*(kv.put(A, str(number), ONE) for number in range(900)))
    await kv.put(A, "last", ONE)
    await kv.clear(A)
    assert kv.list(A, prefix="", after="", limit=10).entries == ()


# Laws

KEYS = st.sampled_from(["", "a", "aa", "ab", "b", "é", "\U0010ffff"]).map(lambda text: f"k{text}")
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.none() | st.integers(1, 5), st.none() | st.integers(0, 8)),
    st.tuples(st.just("delete"), KEYS, st.none() | st.integers(0, 8)),
    st.tuples(st.just("increment"), KEYS, st.none() | st.integers(1, 5)),
    st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.just("list"), st.sampled_from(["", "k", "ka", "k\U0010ffff"]), st.integers(1, 3)),
)


class Model:
    """What `Kv` must do, in a dictionary: key to (number, version, expiry)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.version = 0
        self.entries: dict[str, tuple[int, int, int | None]] = {}

    def live(self) -> dict[str, tuple[int, int, int | None]]:
        """What has not expired."""
        now_ms = self.clock()
        return {k: e for k, e in self.entries.items() if e[2] is None or e[2] > now_ms}

    def set(self, key: str, number: int, expires_ms: int | None) -> int:
        """Write an entry; its version."""
        self.version += 1
        self.entries[key] = (number, self.version, expires_ms)
        return self.version

    def agrees(self, key: str, if_version: int | None) -> bool:
        """Whether a compare-and-set may go on."""
        present = self.live().get(key, (0, 0, None))[1]
        return if_version is None or if_version == present


async def _check(kv: Kv, model: Model, operation: tuple) -> None:  # type: ignore[type-arg]
    """Do the same to both, and compare what they say."""
    match operation:
        case ("put", key, ttl_ms, if_version):
            put = kv.put(A, key, ONE, ttl_ms=ttl_ms, if_version=if_version)
            if model.agrees(key, if_version):
                expires_ms = None if ttl_ms is None else model.clock() + ttl_ms
                assert await put == model.set(key, 1, expires_ms)
            else:
                with pytest.raises(Conflict):
                    await put
        case ("delete", key, if_version):
            delete = kv.delete(A, key, if_version=if_version)
            if model.agrees(key, if_version):
                assert await delete == (key in model.live())
                if key in model.live():
                    del model.entries[key]
            else:
                with pytest.raises(Conflict):
                    await delete
        case ("increment", key, ttl_ms):
            counted = await kv.increment(A, key, 2, ttl_ms=ttl_ms)
            fresh = (0, 0, None if ttl_ms is None else model.clock() + ttl_ms)
            number, _, expires_ms = model.live().get(key, fresh)
            assert counted.version == model.set(key, number + 2, expires_ms)
            assert counted.value == number + 2
        case ("wait", duration_ms):
            model.clock.now_ms += duration_ms
        case ("list", prefix, limit):
            found, cursor = [], ""
            while cursor is not None:
                page = kv.list(A, prefix=prefix, after=cursor, limit=limit)
                found += page.entries
                cursor = page.next
            wanted = [
                Listed(key, entry[1])
                for key, entry in sorted(model.live().items())
                if key.startswith(prefix)
            ]
            assert found == wanted
    for key, (number, version, expires_ms) in model.live().items():
        assert kv.get(A, key) == Entry(cbor.encode(number), version, expires_ms)


@given(st.lists(OPERATIONS, max_size=25))
@settings(max_examples=40, deadline=None)
def test_any_history_agrees_with_a_dictionary(operations: list) -> None:  # type: ignore[type-arg]
    """Whatever is done in whatever order, with time passing."""

    async def run(kv: Kv, model: Model) -> None:
        for operation in operations:
            await _check(kv, model, operation)

    with tempfile.TemporaryDirectory() as directory:
        clock = Clock()
        kv = SqliteKv(Path(directory) / "kv.db", clock=clock, upkeep_interval_s=60)
        asyncio.run(run(kv, Model(clock)))
        kv.close()


# SQLite: processes, locks, disks


def start(job: str, path: Path, count: int) -> subprocess.Popen[str]:
    """Another process at work on the store."""
    command = [sys.executable, "-m", "tests.storage.kv_process", job, str(path), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("job", ["increment", "swap"])
def test_processes_lose_no_update(tmp_path: Path, job: str) -> None:
    """Two processes at the same key end with the right sum."""
    path, count = tmp_path / "kv.db", 300
    writers = [start(job, path, count) for _ in range(2)]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    kv = SqliteKv(path)
    entry = kv.get(NAMESPACE, "sum")
    kv.close()
    assert entry is not None
    assert cbor.decode(entry.value) == 2 * count
    assert entry.version == 2 * count


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """SIGKILL under load: every write that was answered is there."""
    path = tmp_path / "kv.db"
    writer = start("acknowledge", path, 1_000_000)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].splitlines()]
    kv = SqliteKv(path)
    for number in acknowledged:
        for part in range(4):
            assert kv.get(NAMESPACE, f"{number}-{part}"), f"{number} of {len(acknowledged)}"
    kv.close()


def test_a_full_disk_is_reported_and_what_was_kept_stays(tmp_path: Path) -> None:
    """The failure says what to do; reads go on."""
    report, _ = start("fill", tmp_path / "kv.db", 100).communicate(timeout=60)
    failure, summary = report.splitlines()
    assert failure.startswith("StorageFailure")
    assert "disk" in failure
    kept, readable, beyond = summary.split()
    assert int(kept) > 5
    assert (readable, beyond) == ("True", "None")


async def test_a_lock_held_elsewhere_delays_writes_and_nothing_else(tmp_path: Path) -> None:
    """While another process writes, reads answer and the event loop goes on."""
    kv = SqliteKv(tmp_path / "kv.db")
    await kv.put(A, "key", ONE)
    other = sqlite3.connect(tmp_path / "kv.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(kv.put(A, "late", ONE))
    for _ in range(20):
        await asyncio.sleep(0.001)
        assert kv.get(A, "key") is not None
    assert not write.done()
    other.execute("ROLLBACK")
    other.close()
    assert await write
    kv.close()


async def test_closing_commits_what_was_taken(tmp_path: Path) -> None:
    """A worker that stops loses no write; afterwards the store says that it is closed."""
    kv = SqliteKv(tmp_path / "kv.db")
    writes = [asyncio.create_task(kv.put(A, str(number), ONE)) for number in range(50)]
    await asyncio.sleep(0)
    kv.close()
    assert all(await asyncio.gather(*writes))
    with pytest.raises(StorageFailure, match="closed"):
        await kv.put(A, "key", ONE)
    with pytest.raises(StorageFailure, match="closed"):
        kv.get(A, "key")


async def test_expired_entries_are_swept(tmp_path: Path, clock: Clock) -> None:
    """They do not stay on the disk of a store that nobody writes to."""
    kv = SqliteKv(tmp_path / "kv.db", clock=clock, upkeep_interval_s=0.01)
    await asyncio.gather(*(kv.put(A, str(number), ONE, ttl_ms=5) for number in range(700)))
    await kv.put(A, "lasts", ONE)
    clock.now_ms += 5
    rows = sqlite3.connect(tmp_path / "kv.db", isolation_level=None)
    async with asyncio.timeout(30):
        while rows.execute("SELECT count(*) FROM entry").fetchone()[0] > 1:
            await asyncio.sleep(0.01)
    assert rows.execute("SELECT entries FROM namespace").fetchone()[0] == 1
    rows.close()
    kv.close()
