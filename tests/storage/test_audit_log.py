"""The audit log: what was appended is there, in order, whole, and bounded."""

import json
import multiprocessing
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model.errors import InvalidRequest, StorageFailure
from edge.storage.audit import AuditLog

FILE_BYTES = 1_000
BYTES = 4_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    """A log of four small files."""
    opened = small(tmp_path)
    yield opened
    opened.close()


def small(tmp_path: Path, bytes_max: int | None = BYTES) -> AuditLog:
    """The log of a directory."""
    return AuditLog(tmp_path / "audit", bytes_max=bytes_max, file_bytes_max=FILE_BYTES)


def numbers(log: AuditLog, before: str | None = None, limit: int = 1_000) -> list[int]:
    """The `n` of a page's records."""
    return [int(str(record["n"])) for record in log.read(before, limit)[0]]


def test_records_come_back_in_order(tmp_path: Path, log: AuditLog) -> None:
    """Whatever is in them, line breaks and lone surrogates too; only the owner may look."""
    texts = ["plain", "a\nb\r\x1e", "ä\u2028\ud800", ""]
    for n, text in enumerate(texts):
        log.append({"n": n, "text": text})
    records, cursor = log.read(None, 10)
    assert [record["text"] for record in records] == texts
    assert cursor is None
    [path] = (tmp_path / "audit").glob("*.jsonl")
    assert len(path.read_bytes().splitlines()) == len(texts)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_old_files_go(tmp_path: Path, log: AuditLog) -> None:
    """The newest are kept, within the bound, and every file within its own."""
    for n in range(1_000):
        log.append({"n": n, "text": "x" * 50})
    paths = sorted((tmp_path / "audit").glob("*.jsonl"))
    assert len(paths) == BYTES // FILE_BYTES
    assert all(path.stat().st_size <= FILE_BYTES for path in paths)
    found = numbers(log)
    assert found == list(range(1_000 - len(found), 1_000))
    assert len(found) > 30


def test_a_record_longer_than_a_file_has_one(tmp_path: Path, log: AuditLog) -> None:
    """It is kept nevertheless."""
    for n in range(3):
        log.append({"n": n, "text": "x" * 2 * FILE_BYTES})
    assert numbers(log) == [0, 1, 2]


def test_who_has_no_bound_drops_nothing(tmp_path: Path) -> None:
    """A verb that does not know the host's setting leaves that to the host."""
    log = small(tmp_path, bytes_max=None)
    for n in range(200):
        log.append({"n": n, "text": "x" * 50})
    assert numbers(log) == list(range(200))
    log.close()


def test_pages(log: AuditLog) -> None:
    """From the newest backwards, each record once, also while more is written."""
    for n in range(40):
        log.append({"n": n, "text": "x" * 50})
    seen: list[int] = []
    cursor: str | None = None
    while True:
        records, cursor = log.read(cursor, 7)
        seen[:0] = [int(str(record["n"])) for record in records]
        log.append({"n": -1})
        if cursor is None:
            break
    assert seen == list(range(40))
    assert log.read("00000001:0", 7) == ((), None)


@pytest.mark.parametrize("cursor", ["", "1", "a:b", "1:-1", "1:2:3", "../1:2", "1" * 20 + ":0"])
def test_what_is_no_cursor(log: AuditLog, cursor: str) -> None:
    """Is refused."""
    with pytest.raises(InvalidRequest, match="cursor"):
        log.read(cursor, 1)


def test_a_torn_line_costs_no_other(tmp_path: Path, log: AuditLog) -> None:
    """What a power cut left of a record is passed over; the next has a line of its own."""
    log.append({"n": 0})
    [path] = (tmp_path / "audit").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"n": 1, "te')
    log.append({"n": 2})
    assert numbers(log) == [0, 2]
    assert json.loads(path.read_bytes().splitlines()[-1]) == {"n": 2}


def test_a_failure_is_told_and_leaves_nothing(tmp_path: Path, log: AuditLog) -> None:
    """A record that fits only in part, for a file can grow no further, is not there at all."""
    log.append({"n": 0})
    [path] = (tmp_path / "audit").glob("*.jsonl")
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 4, hard))
    try:
        with pytest.raises(StorageFailure, match="full"):
            log.append({"n": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    log.append({"n": 2})
    assert numbers(log) == [0, 2]


def _append(path: Path, first: int) -> None:
    log = small(path, bytes_max=None)
    for n in range(first, first + 100):
        log.append({"n": n, "text": "x" * 50})
    log.close()


def test_processes_write_in_turn(tmp_path: Path) -> None:
    """None of their records is lost or mixed with another's, and rotation drops none."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_append, [(tmp_path, 0), (tmp_path, 1_000)])
    log = small(tmp_path)
    assert sorted(numbers(log)) == [*range(100), *range(1_000, 1_100)]
    log.close()
