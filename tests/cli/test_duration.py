"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("500ms", 500), ("3s", 3_000), ("1.5 s", 1_500), ("2m", 120_000), ("1h", 3_600_000)],
)
def test_each_unit_becomes_milliseconds(text: str, duration_ms: int) -> None:
    """The four units and decimals are read."""
    assert parse_duration(text) == duration_ms


@given(st.integers(0, 10**8))
def test_whole_milliseconds_come_back(duration_ms: int) -> None:
    """Nothing is lost in milliseconds, nor in seconds written with decimals."""
    assert parse_duration(f"{duration_ms}ms") == duration_ms
    assert parse_duration(f"{duration_ms // 1000}.{duration_ms % 1000:03}s") == duration_ms


@pytest.mark.parametrize("text", ["", "3", "s", "-3s", "3 days", "3s 2m", "1e3s", "nan s", "٣s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(ValueError, match='as in "3s"'):
        parse_duration(text)
