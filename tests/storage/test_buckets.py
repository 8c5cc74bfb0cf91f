"""Token buckets: as many as were promised, in every process; none stays empty for ever."""

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.errors import InvalidConfiguration
from edge.model.rate import BURST_MAX, Rate, rate_of
from edge.storage.buckets import Buckets

S = 1_000_000_000
ANN, BOB = 2**64 - 1, 1


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ns = 1_000 * S

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    """A clock at some moment."""
    return Clock()


@pytest.fixture
def buckets(tmp_path: Path, clock: Clock) -> Buckets:
    """Four buckets on that clock."""
    return Buckets(tmp_path / "buckets", 4, clock)


def taken(buckets: Buckets, rate: Rate, tries: int, bucket: int = 0) -> int:
    """How many of so many tries found a token."""
    return sum(buckets.take(bucket, ANN, rate) == 0.0 for _ in range(tries))


def test_a_burst_and_then_the_rate(buckets: Buckets, clock: Clock) -> None:
    """A full bucket gives its burst at once, then tokens as they come, up to the burst again."""
    rate = Rate(10, 5)
    assert taken(buckets, rate, 20) == 5
    assert buckets.take(0, ANN, rate) == pytest.approx(0.1)
    clock.ns += S // 10
    assert taken(buckets, rate, 20) == 1
    clock.ns += 3 * S // 10
    assert taken(buckets, rate, 20) == 3
    clock.ns += 60 * S
    assert taken(buckets, rate, 20) == 5
    assert taken(buckets, rate, 20, bucket=1) == 5


def test_another_owner_finds_it_full(buckets: Buckets) -> None:
    """Who gets a bucket that was another's does not pay for him."""
    rate = Rate(0.001, 3)
    assert taken(buckets, rate, 9) == 3
    assert [buckets.take(0, BOB, rate) == 0.0 for _ in range(4)] == [True] * 3 + [False]


def test_looking_takes_nothing(buckets: Buckets) -> None:
    """A door that asks before it reads a body does not use up what the body then needs."""
    rate = Rate(1, 1)
    assert [buckets.wait_s(0, ANN, rate) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take(0, ANN, rate) == 0.0
    assert buckets.wait_s(0, ANN, rate) == pytest.approx(1.0)


@given(
    st.floats(0.01, 10_000),
    st.integers(1, 100),
    st.lists(st.integers(0, 5 * S), min_size=1, max_size=50),
)
def test_no_more_than_promised(
    tmp_path_factory: pytest.TempPathFactory, per_s: float, burst: int, pauses: list[int]
) -> None:
    """In any run of tries, at most the burst and what the rate gave meanwhile."""
    clock = Clock()
    buckets = Buckets(tmp_path_factory.mktemp("buckets") / "buckets", 1, clock)
    rate, began = Rate(per_s, burst), clock.ns
    got = 0
    for pause in pauses:
        clock.ns += pause
        wait_s = buckets.take(0, ANN, rate)
        got += wait_s == 0.0
        assert wait_s <= 1 / per_s + 1e-6
        assert got <= burst + per_s * (clock.ns - began) / S + 1e-3
    buckets.close()


def test_another_rate_and_another_boot_hold_nobody_up(buckets: Buckets, clock: Clock) -> None:
    """What a slower rate, or the clock of an earlier boot, left counts as an empty bucket."""
    assert taken(buckets, Rate(0.001, 10), 20) == 10
    fast = Rate(100, 5)
    assert 0.0 < buckets.take(0, ANN, fast) <= 0.01
    clock.ns += S
    assert taken(buckets, fast, 20) == 5
    clock.ns = 5 * S
    assert 0.0 < buckets.take(0, ANN, fast) <= 0.01
    clock.ns += S
    assert taken(buckets, fast, 20) == 5


def _take_many(path: Path, rate: Rate, tries: int) -> int:
    return taken(Buckets(path, 1), rate, tries)


def test_processes_share_a_bucket(tmp_path: Path) -> None:
    """Together they get what one would get alone, but for takes in the same microsecond."""
    path, rate = tmp_path / "buckets", Rate(0.001, 1_000)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(_take_many, [(path, rate, 10_000)] * 2)
    assert 1_000 <= sum(found) < 2_000


def test_the_burst_is_a_second_unless_it_is_said() -> None:
    """What a second gives, at least one."""
    assert rate_of(50) == Rate(50, 50)
    assert rate_of(0.5) == Rate(0.5, 1)
    assert rate_of(2.5, 7) == Rate(2.5, 7)


@pytest.mark.parametrize(
    ("per_s", "burst"),
    [
        (0, 1),
        (-1, 1),
        (float("nan"), None),
        (float("inf"), None),
        (2e6, 1),
        (1, 0),
        (1, BURST_MAX + 1),
    ],
)
def test_what_is_no_rate(per_s: float, burst: int | None) -> None:
    """Is refused, with its bounds."""
    with pytest.raises(InvalidConfiguration, match="from"):
        rate_of(per_s, burst)
