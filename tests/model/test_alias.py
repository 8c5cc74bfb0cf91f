"""Aliases: which there can be, and how one for two versions chooses."""

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.alias import Alias, is_alias_name
from edge.model.errors import InvalidConfiguration

DRAWS = 20_000
SIGMAS = 6
"""A fair draw leaves this band once in 10⁹ runs; the seed is fixed besides."""


def split(weight: float) -> Alias:
    """An alias for version 1 and, with `weight`, version 2."""
    return Alias("hello", "live", "1", "r", also="2", also_weight=weight)


@pytest.mark.parametrize("weight", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
def test_the_split_holds(weight: float) -> None:
    """Many draws give each version its share, within a binomial bound."""
    draws, alias = Random(7), split(weight)
    count = sum(alias.choose(draws.random()) == "2" for _ in range(DRAWS))
    assert abs(count - DRAWS * weight) <= SIGMAS * sqrt(DRAWS * weight * (1 - weight))


@given(st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.sampled_from(["", "1", "2", "3"]))
def test_a_pin_chooses_only_among_the_alias_s_versions(
    weight: float, draw: float, pin: str
) -> None:
    """A pin to one of the two wins whatever the draw; any other changes nothing."""
    alias = split(weight)
    chosen = alias.choose(draw, pin)
    assert chosen == (pin if pin in ("1", "2") else alias.choose(draw))


def test_a_share_of_nothing_is_reached_by_a_pin() -> None:
    """Weight 0 keeps a version out of all traffic but that of those who name it."""
    assert split(0.0).choose(0.0) == "1"
    assert split(0.0).choose(0.5, "2") == "2"


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("live", True),
        ("v1", True),
        ("1", False),
        ("", False),
        ("$LATEST", False),
        ("a" * 129, False),
    ],
)
def test_names(name: str, fits: bool) -> None:
    """An alias is never mistaken for a version."""
    assert is_alias_name(name) is fits


@pytest.mark.parametrize(
    ("version", "also", "weight"),
    [("live", "", 0), ("0", "", 0), ("1", "1", 0.5), ("$LATEST", "1", 0.5), ("1", "$LATEST", 0.5),
     ("1", "2", 1.1), ("1", "2", -0.1), ("1", "2", float("nan"))],
)  # fmt: skip
def test_what_is_refused(version: str, also: str, weight: float) -> None:
    """Lambda's rules of routing."""
    with pytest.raises(InvalidConfiguration):
        Alias("hello", "live", version, "r", also=also, also_weight=weight)
