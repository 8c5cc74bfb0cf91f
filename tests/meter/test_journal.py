"""The journal: every acknowledged record is found, whole, whatever happens to the writer."""

import json
import signal
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.meter.journal import Gap, Journal, read_records
from edge.model.outcome import Outcome
from edge.model.usage import Usage
from edge.storage.segments import list_segments
from tests.meter.records import TIME_MS, usage, usages
from tests.storage.processes import run_python, start_python


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    """Every member of a usage, in order of completion."""
    records = [usage(number, outcome=outcome) for number, outcome in enumerate(Outcome)]
    journal = Journal(tmp_path, "w0")
    for record in records:
        journal.append(record)
    journal.close()
    found = list(read_records(tmp_path))
    assert found == records
    assert all(type(record.outcome) is Outcome for record in found)


def test_a_record_is_plain_cbor(tmp_path: Path) -> None:
    """Any CBOR tool reads a segment: a sequence of arrays, format first, then `Usage`."""
    journal = Journal(tmp_path, "w0")
    journal.append(usage(7))
    journal.close()
    (segment,) = list_segments(tmp_path)
    assert cbor2.loads(segment.path.read_bytes()) == [1, *usage(7)]
    assert segment.name == "w0-00000001.cbor"


def test_records_are_found_while_the_journal_is_open(tmp_path: Path) -> None:
    """Nothing waits in a buffer: what was appended is in the file."""
    journal = Journal(tmp_path, "w0")
    for number in range(3):
        journal.append(usage(number))
        assert len(list(read_records(tmp_path))) == number + 1
    journal.close()


def test_segments_rotate_and_lose_nothing(tmp_path: Path) -> None:
    """Records go on across segments, each within its bound."""
    journal = Journal(tmp_path, "w0", segment_bytes_max=500)
    for number in range(40):
        journal.append(usage(number))
    journal.close()
    assert len(list_segments(tmp_path)) > 5
    assert all(each.path.stat().st_size <= 500 for each in list_segments(tmp_path))
    assert [record.request_id for record in read_records(tmp_path)] == [str(n) for n in range(40)]


def test_two_workers_write_side_by_side(tmp_path: Path) -> None:
    """Each has segments of its own; a reader finds the records of both."""
    journals = [Journal(tmp_path, worker, segment_bytes_max=500) for worker in ("w0", "w1")]
    for number in range(40):
        journals[number % 2].append(usage(number))
    for journal in journals:
        journal.close()
    found = [record.request_id for record in read_records(tmp_path)]
    assert sorted(found, key=int) == [str(number) for number in range(40)]


def test_a_clock_set_back_does_not_change_the_order(tmp_path: Path) -> None:
    """Records keep the order of completion, not of their times."""
    times = [TIME_MS, TIME_MS - 10**9, TIME_MS + 5, 0]
    journal = Journal(tmp_path, "w0")
    for time_ms in times:
        journal.append(usage(time_ms=time_ms))
    journal.close()
    assert [record.time_ms for record in read_records(tmp_path)] == times


_APPEND_FOR_EVER = """
import sys
from pathlib import Path
from edge.meter.journal import Journal
from tests.meter.records import usage
journal = Journal(Path(sys.argv[1]), sys.argv[2], segment_bytes_max=20_000)
for number in range(10**9):
    journal.append(usage(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_killed_writer_loses_no_acknowledged_record(tmp_path: Path) -> None:
    """kill -9 at any moment: each record whose append returned is there, whole, once."""
    acknowledged: list[int] = []
    for round_number in range(3):
        writers = [start_python(_APPEND_FOR_EVER, tmp_path, worker) for worker in ("w0", "w1")]
        for process in writers:
            with process:
                assert process.stdout is not None
                for _ in range(400 + 100 * round_number):
                    line = process.stdout.readline()
                process.send_signal(signal.SIGKILL)
                # What it had still written to the pipe was acknowledged, too.
                lines = [line, *process.stdout.read().splitlines(keepends=True)]
                whole = [line for line in lines if line.endswith("\n")]
                acknowledged.append(int(whole[-1]))
    runs: list[int] = []
    for record in read_records(tmp_path):
        number = int(record.request_id)
        if number == 0:
            runs.append(0)
        else:
            assert number == runs[-1] + 1
            runs[-1] = number
    by_worker = [*acknowledged[0::2], *acknowledged[1::2]]
    assert len(runs) == len(by_worker)
    for found, at_least in zip(runs, by_worker, strict=True):
        assert at_least <= found <= at_least + 1


@given(cut=st.integers(1, 200))
def test_a_torn_tail_is_skipped_and_reported(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """A record cut anywhere hides neither those before it nor the next segment's."""
    directory = tmp_path_factory.mktemp("torn")
    first = Journal(directory, "w0")
    for number in range(3):
        first.append(usage(number))
    first.close()
    (segment,) = list_segments(directory)
    content = segment.path.read_bytes()
    record_bytes = len(content) // 3
    remaining = len(content) - cut % record_bytes
    segment.path.write_bytes(content[:remaining])
    restarted = Journal(directory, "w0")
    restarted.append(usage(9))
    restarted.close()
    gaps: list[Gap] = []
    found = [record.request_id for record in read_records(directory, gaps.append)]
    if cut % record_bytes == 0:
        assert (found, gaps) == (["0", "1", "2", "9"], [])
    else:
        torn_bytes = remaining - 2 * record_bytes
        assert found == ["0", "1", "9"]
        assert gaps == [Gap(segment.name, 2 * record_bytes, torn_bytes, torn=True)]


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xff\xff",
        cbor2.dumps([2, *usage()]),
        cbor2.dumps([1, *usage()][:-1]),
        cbor2.dumps({"time": 1}),
        cbor2.dumps([1, *usage()._replace(fuel=-1)]),
        cbor2.dumps([1, *usage()._replace(billed_ms=2**60)]),
        cbor2.dumps([1, *usage()[:5], "exploded", *usage()[6:]]),
    ],
)
def test_damage_is_reported_and_not_billed(tmp_path: Path, damage: bytes) -> None:
    """What is no record of this format ends its segment, loudly; other segments are read."""
    journal = Journal(tmp_path, "w0")
    journal.append(usage(1))
    journal.close()
    (segment,) = list_segments(tmp_path)
    sound_bytes = segment.path.stat().st_size
    with segment.path.open("ab") as file:
        file.write(damage)
    other = Journal(tmp_path, "w1")
    other.append(usage(2))
    other.close()
    gaps: list[Gap] = []
    assert [record.request_id for record in read_records(tmp_path, gaps.append)] == ["1", "2"]
    assert gaps == [Gap(segment.name, sound_bytes, len(damage), torn=False)]
    assert len(list(read_records(tmp_path))) == 2


def test_zeros_behind_the_last_record_are_room(tmp_path: Path) -> None:
    """What a killed process had not used yet of its file is no damage; a hole in front of something
    is told."""
    journal = Journal(tmp_path, "w0")
    journal.append(usage(1))
    (segment,) = list_segments(tmp_path)
    gaps: list[Gap] = []
    assert segment.path.stat().st_size > 10_000
    assert [record.request_id for record in read_records(tmp_path, gaps.append)] == ["1"]
    assert gaps == []
    journal.close()
    sound_bytes = segment.path.stat().st_size
    with segment.path.open("ab") as file:
        file.write(b"\0" * 50 + cbor2.dumps([1, *usage()]))
    assert len(list(read_records(tmp_path, gaps.append))) == 1
    (gap,) = gaps
    assert (gap.offset, gap.torn) == (sound_bytes, True)


_FILL_THE_DISK = """
import json, resource, sys
from pathlib import Path
from edge.meter.journal import Journal
from edge.model.errors import StorageFailure
from tests.meter.records import usage
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
journal = Journal(Path(sys.argv[1]), "w0")
kept, messages = [], []
for number in range(30):
    if number == 25:  # somebody made room
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    try:
        journal.append(usage(number))
        kept.append(str(number))
    except StorageFailure as error:
        messages.append(error.message)
print(json.dumps([kept, messages]))
"""


@pytest.mark.parametrize("limit", [1, 1_000, 1_001, 1_050])
def test_a_full_disk_is_told_and_leaves_no_torn_record(tmp_path: Path, limit: int) -> None:
    """A record is refused whole, and records go on in the same file once there is room."""
    kept, messages = json.loads(run_python(_FILL_THE_DISK, tmp_path, limit))
    assert kept[-5:] == ["25", "26", "27", "28", "29"]
    assert len(messages) == 30 - len(kept) > 5
    assert all("disk is full" in message for message in messages)
    gaps: list[Gap] = []
    assert [record.request_id for record in read_records(tmp_path, gaps.append)] == kept
    assert gaps == []
    assert len(list_segments(tmp_path)) == 1


@settings(max_examples=30)
@given(records=st.lists(usages, max_size=30), segment_bytes_max=st.integers(1, 2_000))
def test_whatever_is_appended_is_read(
    tmp_path_factory: pytest.TempPathFactory, records: list[Usage], segment_bytes_max: int
) -> None:
    """At any segment size, reading gives back exactly what was appended."""
    directory = tmp_path_factory.mktemp("journal")
    journal = Journal(directory, "w0", segment_bytes_max=segment_bytes_max)
    for record in records:
        journal.append(record)
    journal.close()
    assert list(read_records(directory)) == records
