"""Log cursors: opaque to callers, exact for us, and closed to anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.meter.cursor import CURSOR_LENGTH_MAX, Position, format_cursor, parse_cursor
from edge.model.errors import InvalidRequest

positions = st.builds(
    Position, st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1), st.integers(0, 999_999)
)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True), positions, max_size=5))
def test_a_cursor_comes_back(by_worker: dict[str, Position]) -> None:
    """Parsing gives back what was formatted, and the text is safe in a URL."""
    text = format_cursor(by_worker)
    assert parse_cursor(text) == by_worker
    assert all(character.isalnum() or character in ".~" for character in text)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "~",
        "w0.1.2",
        "w0.1.2.3.4",
        "w0.1.2.-3",
        "w0.1.2.3~",
        "w-0.1.2.3",
        "w0.1.2.x",
        "w0.²..1",
        "w0.1.2.9999999",
        "é.1.2.3",
        "w0.1.2.3\n",
        "a" * (CURSOR_LENGTH_MAX + 1),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """A malformed cursor is the caller's mistake, told as such."""
    with pytest.raises(InvalidRequest):
        parse_cursor(text)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    """Nothing a caller sends ends in another error."""
    try:
        parse_cursor(text)
    except InvalidRequest:
        return
