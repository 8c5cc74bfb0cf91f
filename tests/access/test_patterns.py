"""Wildcards: what they match, and that no pattern makes them slow."""

from fnmatch import translate
from re import fullmatch

from hypothesis import given
from hypothesis import strategies as st

from edge.access.patterns import wildcard


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_wildcard_agrees_with_regular_expressions(pattern: str, text: str) -> None:
    """`*` and `?` mean what they mean everywhere."""
    assert wildcard(pattern)(text) is (fullmatch(translate(pattern), text) is not None)


def test_many_stars_end() -> None:
    """A pattern made to be slow ends at once: it would take years by naive backtracking."""
    assert not wildcard("*a" * 300 + "b")("a" * 2_000)
