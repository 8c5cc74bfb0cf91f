"""Async events outlive kills of every process of the host."""

from pathlib import Path

from bench.async_events import judge, survive


def test_no_event_is_lost_or_stuck(tmp_path: Path) -> None:
    """Accepted means run, however often the host is killed; those that fail lie dead."""
    accepted = survive(tmp_path / "data", events=200, kills=3, workers=2)
    assert len(accepted) >= 200
    assert judge(tmp_path / "data", accepted) == 0
