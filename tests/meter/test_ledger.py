"""The ledger: each record counted once, whatever is killed, raced, rotated or deleted."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from edge.meter.bill import NEVER_RAN
from edge.meter.journal import Journal, read_records
from edge.meter.ledger import DAY_MS, Ledger, UsageTotal, tally
from edge.model.outcome import Outcome
from edge.model.usage import Usage
from edge.storage.segments import list_segments
from edge.storage.sqlite.usage import SqliteUsage
from edge.storage.usage import Tally, TallyKey
from tests.meter.records import TARIFF, TIME_MS, usage, usages
from tests.storage.processes import run_python, start_python


class Killed(Exception):
    """Stands for the end of the process."""


class FragileUsage(SqliteUsage):
    """The real store, whose process can be made to end before or after a commit."""

    kill_before: str | None = None
    kill_after: str | None = None
    meanwhile: Callable[[], object] | None = None

    def add(self, segment: str, start: int, end: int, tallies: Mapping[TallyKey, Tally]) -> bool:
        """Between reading a page and committing it."""
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        return bool(
            self._fragile(
                "add", lambda: super(FragileUsage, self).add(segment, start, end, tallies)
            )
        )

    def archive(self, segment: str, end: int) -> bool:
        """Between keeping a segment's sums and deleting its file."""
        return bool(
            self._fragile("archive", lambda: super(FragileUsage, self).archive(segment, end))
        )

    def reset(self) -> None:
        """Between forgetting what was counted and counting again."""
        self._fragile("reset", super().reset)

    def _fragile(self, step: str, act: Callable[[], object]) -> object:
        if self.kill_before == step:
            raise Killed
        result = act()
        if self.kill_after == step:
            raise Killed
        return result


def append(directory: Path, records: Iterable[Usage], worker: str = "w0") -> None:
    """A worker's life: it appends these and stops."""
    journal = Journal(directory / "journal", worker, segment_bytes_max=700)
    for record in records:
        journal.append(record)
    journal.close()


def open_ledger(directory: Path, segments_kept: int = 100) -> tuple[Ledger, FragileUsage]:
    """A ledger as a process opens it."""
    store = FragileUsage(directory / "usage.db")
    return Ledger(directory / "journal", store, TARIFF, segments_kept=segments_kept), store


def expected(records: Iterable[Usage]) -> dict[str, tuple[int, int, int, int, int, Decimal]]:
    """The totals by function, the plain way."""
    sums: dict[str, tuple[int, int, int, int, int, Decimal]] = {}
    for record in records:
        ran = record.outcome not in NEVER_RAN
        error = ran and record.outcome is not Outcome.OK
        old = sums.get(record.function, (0, 0, 0, 0, 0, Decimal(0)))
        new = (ran, error, not ran, record.billed_ms, record.fuel, TARIFF.charge(record))
        sums[record.function] = tuple(a + b for a, b in zip(old, new, strict=True))  # type: ignore[assignment]
    return sums


def found(ledger: Ledger) -> dict[str, tuple[int, int, int, int, int, Decimal]]:
    """The ledger's totals by function, in the same shape."""
    return {
        str(row.function): (
            row.requests,
            row.errors,
            row.rejected,
            row.billed_ms,
            row.fuel,
            row.cost,
        )
        for row in ledger.totals()
    }


def test_totals_by_function_and_by_day(tmp_path: Path) -> None:
    """What was used and what it costs, of a function, of a day, and within days."""
    append(
        tmp_path,
        [
            usage(fuel=10_000_000),
            usage(outcome=Outcome.GUEST_TRAP, fuel=1, time_ms=TIME_MS + DAY_MS),
            usage(outcome=Outcome.THROTTLED),
            usage(function="other", fuel=5_000_000 * 8_000),
        ],
    )
    ledger, store = open_ledger(tmp_path)
    assert ledger.totals() == ()
    assert ledger.rollup().records == 4
    hello, other = ledger.totals()
    assert hello == UsageTotal(
        function="hello",
        day=None,
        requests=2,
        errors=1,
        rejected=1,
        billed_ms=3,
        gb_seconds=Decimal(3) / 8_000,
        cost=2 * TARIFF.price_request + Decimal(3) / 8_000 * TARIFF.price_gb_second,
        fuel=10_000_001,
    )
    assert other.gb_seconds == 1
    first, second = date(2023, 11, 14), date(2023, 11, 15)
    days = ledger.totals(by="day")
    assert [(row.day, row.function, row.requests) for row in days] == [
        (first, None, 2),
        (second, None, 1),
    ]
    assert [row.requests for row in ledger.totals("hello", by="day")] == [1, 1]
    assert [row.requests for row in ledger.totals(since=second)] == [1]
    assert [row.requests for row in ledger.totals(until=first)] == [1, 1]
    assert ledger.totals("hello", first, first)[0].requests == 1
    store.close()


def test_a_record_belongs_to_its_own_day(tmp_path: Path) -> None:
    """The last millisecond of a day, the first of the next, and a clock set back in between."""
    midnight_ms = TIME_MS - TIME_MS % DAY_MS + DAY_MS
    append(tmp_path, [usage(time_ms=midnight_ms + shift) for shift in (0, 5, -1, 1, -DAY_MS)])
    ledger, store = open_ledger(tmp_path)
    ledger.rollup()
    days = [(str(row.day), row.requests) for row in ledger.totals(by="day")]
    assert days == [("2023-11-14", 2), ("2023-11-15", 3)]
    store.close()


def test_rolling_up_again_counts_only_what_is_new(tmp_path: Path) -> None:
    """A record is counted once, in the segment that is still written to as well."""
    journal = Journal(tmp_path / "journal", "w0")
    ledger, store = open_ledger(tmp_path)
    for number in range(5):
        journal.append(usage(number))
        assert ledger.rollup().records == 1
        assert ledger.rollup().records == 0
    assert ledger.totals()[0].requests == 5
    journal.close()
    store.close()


@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", ["add", "archive", "reset"])
def test_a_killed_roll_up_counts_nothing_twice(tmp_path: Path, when: str, step: str) -> None:
    """Killed on either side of any commit, the next process ends up with the same totals."""
    records = [usage(number) for number in range(40)]
    append(tmp_path, records)
    ledger, store = open_ledger(tmp_path, segments_kept=2)
    setattr(store, when, step)
    act = ledger.rebuild if step == "reset" else ledger.rollup
    with pytest.raises(Killed):
        act()
    store.close()
    ledger, store = open_ledger(tmp_path, segments_kept=2)
    ledger.rollup()
    assert found(ledger) == expected(records)
    ledger.rollup()
    assert found(ledger) == expected(records)
    assert len(list_segments(tmp_path / "journal")) == 2
    store.close()


def test_two_roll_ups_at_once_count_once(tmp_path: Path) -> None:
    """Another process rolls up, retires or rebuilds between our reading and our commit."""
    records = [usage(number) for number in range(40)]
    append(tmp_path, records)
    for act in ("rollup", "rebuild"):
        ours, store = open_ledger(tmp_path, segments_kept=3)
        theirs, other = open_ledger(tmp_path, segments_kept=3)
        store.meanwhile = getattr(theirs, act)
        ours.rollup()
        assert found(ours) == expected(records)
        store.close()
        other.close()
        append(tmp_path, [usage(99)])
        records.append(usage(99))


def test_a_rebuild_agrees(tmp_path: Path) -> None:
    """Counting everything anew gives the same totals, deleted segments included."""
    records = [usage(number, function="ab"[number % 2]) for number in range(60)]
    append(tmp_path, records)
    ledger, store = open_ledger(tmp_path, segments_kept=4)
    ledger.rollup()
    kept = sum(1 for _ in read_records(tmp_path / "journal"))
    assert 0 < kept < 60
    assert ledger.rebuild().records == kept
    assert found(ledger) == expected(records)
    store.close()


def test_old_segments_go_once_they_are_counted(tmp_path: Path) -> None:
    """Of each worker the newest stay; totals keep what the deleted ones held."""
    records = [usage(number) for number in range(40)]
    append(tmp_path, records, "w0")
    append(tmp_path, records, "w1")
    newest = [segment.name for segment in list_segments(tmp_path / "journal", "w0")][-2:]
    ledger, store = open_ledger(tmp_path, segments_kept=2)
    ledger.rollup()
    ledger.rollup()
    assert [segment.name for segment in list_segments(tmp_path / "journal", "w0")] == newest
    assert len(list_segments(tmp_path / "journal")) == 4
    assert len(store.progress()) == 4
    assert found(ledger) == expected(records * 2)
    store.close()


def test_a_segment_deleted_by_hand_keeps_its_totals(tmp_path: Path) -> None:
    """Totals outlive the files, and a rebuild does not forget them."""
    records = [usage(number) for number in range(20)]
    append(tmp_path, records)
    ledger, store = open_ledger(tmp_path)
    ledger.rollup()
    for segment in list_segments(tmp_path / "journal")[:-1]:
        segment.path.unlink()
    ledger.rebuild()
    assert found(ledger) == expected(records)
    store.close()


def test_a_torn_tail_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    """The newest record of a running worker may be under way; an older segment's never comes."""
    append(tmp_path, [usage(1), usage(2)])
    (segment,) = list_segments(tmp_path / "journal")
    whole = segment.path.read_bytes()
    os.truncate(segment.path, len(whole) - 3)
    ledger, store = open_ledger(tmp_path)
    assert (ledger.rollup().records, ledger.rollup().gaps) == (1, ())
    segment.path.write_bytes(whole)
    assert ledger.rollup().records == 1
    segment.path.write_bytes(whole + whole[:9])
    append(tmp_path, [usage(3)])
    rollup = ledger.rollup()
    assert rollup.records == 1
    (gap,) = rollup.gaps
    assert (gap.segment, gap.offset, gap.size_bytes, gap.torn) == (
        segment.name,
        len(whole),
        9,
        True,
    )
    assert ledger.totals()[0].requests == 3
    store.close()


def test_damage_is_reported_at_once(tmp_path: Path) -> None:
    """Bytes that will never be a record are told, in the newest segment too."""
    append(tmp_path, [usage(1)])
    (segment,) = list_segments(tmp_path / "journal")
    with segment.path.open("ab") as file:
        file.write(b"\xff")
    ledger, store = open_ledger(tmp_path)
    (gap,) = ledger.rollup().gaps
    assert not gap.torn
    store.close()


_ROLL_UP = """
import sys
from pathlib import Path
from edge.meter.bill import Tariff
from edge.meter.ledger import Ledger
from edge.storage.sqlite.usage import SqliteUsage
data = Path(sys.argv[1])
ledger = Ledger(data / "journal", SqliteUsage(data / "usage.db"), Tariff(), segments_kept=5)
for _ in range(int(sys.argv[2])):
    ledger.rollup()
"""


def test_processes_roll_up_together_while_workers_write(tmp_path: Path) -> None:
    """Two processes and this one roll up, and rebuild, while records come in."""
    ledger, store = open_ledger(tmp_path, segments_kept=5)
    records: list[Usage] = []
    others = [start_python(_ROLL_UP, tmp_path, 30) for _ in range(2)]
    for round_number in range(8):
        batch = [usage(number, function="ab"[number % 2]) for number in range(20)]
        append(tmp_path, batch, f"w{round_number % 2}")
        records += batch
        if round_number == 4:
            ledger.rebuild()
        ledger.rollup()
    for process in others:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    run_python(_ROLL_UP, tmp_path, 1)
    assert found(ledger) == expected(records)
    store.close()


def test_tallies_do_not_depend_on_order() -> None:
    """Sums of integers: any order and any split give the same."""
    records = [usage(number, fuel=number * 10**9) for number in range(20)]
    assert tally(records) == tally(reversed(records))


class LedgerMachine(RuleBasedStateMachine):
    """Records, restarts, roll-ups, kills and rebuilds in any order: totals are the sums."""

    directory_factory: pytest.TempPathFactory

    @initialize()
    def begin(self) -> None:
        """An empty data directory."""
        self.directory = self.directory_factory.mktemp("ledger")
        self.records: list[Usage] = []
        self.ledger, self.store = open_ledger(self.directory, segments_kept=2)

    @rule(batch=st.lists(usages, max_size=12), worker=st.sampled_from(["w0", "w1"]))
    def work(self, batch: list[Usage], worker: str) -> None:
        """A worker runs for a while."""
        append(self.directory, batch, worker)
        self.records += batch

    @rule()
    def roll_up(self) -> None:
        """The ledger catches up."""
        self.ledger.rollup()
        assert found(self.ledger) == expected(self.records)

    @rule(
        when=st.sampled_from(["kill_before", "kill_after"]),
        step=st.sampled_from(["add", "archive", "reset"]),
        rebuild=st.booleans(),
    )
    def die(self, when: str, step: str, rebuild: bool) -> None:
        """The process that rolls up is killed at some commit, if it comes to one."""
        setattr(self.store, when, step)
        try:
            if rebuild:
                self.ledger.rebuild()
            else:
                self.ledger.rollup()
        except Killed:
            pass
        self.store.close()
        self.ledger, self.store = open_ledger(self.directory, segments_kept=2)

    @rule()
    def rebuild(self) -> None:
        """An operator counts anew."""
        self.ledger.rebuild()
        assert found(self.ledger) == expected(self.records)

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        """Even before it has caught up, the ledger never says too much."""
        if hasattr(self, "ledger"):
            wanted = expected(self.records)
            for function, sums in found(self.ledger).items():
                assert all(a <= b for a, b in zip(sums, wanted[function], strict=True))

    def teardown(self) -> None:
        """Close the last process's store."""
        if hasattr(self, "store"):
            self.store.close()


def test_totals_are_the_sums_whatever_happens(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The law of the ledger, over histories that hypothesis makes up."""

    class Machine(LedgerMachine):
        directory_factory = tmp_path_factory

    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=20))
