"""Generated messages, split anywhere: the door never reads what h11 reads otherwise."""

import pytest

from tests.front.door.fuzz.laws import run

STREAMS = 1_500


@pytest.mark.parametrize("seed", range(4))
def test_one_reading(seed: int) -> None:
    """One reading however split, h11's reading, nothing behind a refused message."""
    tally = run(STREAMS, seed)
    assert tally["read by both"] > STREAMS // 10
    assert tally["refused by both"] > STREAMS // 10
