"""The bill: published arithmetic, exact to the last digit."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.meter.bill import NEVER_RAN, Tariff, gb_seconds
from edge.model.errors import InvalidConfiguration
from edge.model.outcome import Outcome
from tests.meter.records import usage


@pytest.mark.parametrize(
    ("fuel", "billed_ms"),
    [(0, 1), (1, 1), (5_000_000, 1), (5_000_001, 2), (10_000_000, 2), (10_000_001, 3)],
)
def test_a_begun_millisecond_is_billed_and_one_at_least(fuel: int, billed_ms: int) -> None:
    """Fuel is rounded up to whole milliseconds."""
    assert Tariff().billed_ms(fuel) == billed_ms


@given(fuel=st.integers(0, 2**63), fuel_per_ms=st.integers(1, 10**9))
def test_billed_time_is_the_least_that_covers_the_fuel(fuel: int, fuel_per_ms: int) -> None:
    """Integers only: no rounding error however much fuel."""
    billed_ms = Tariff(fuel_per_ms).billed_ms(fuel)
    assert billed_ms * fuel_per_ms >= fuel
    assert billed_ms == 1 or (billed_ms - 1) * fuel_per_ms < fuel


def test_the_default_prices_are_lambda_s() -> None:
    """A million requests are 0.20 USD, a GB for 1,000 s is 0.0166667 USD."""
    assert Tariff().cost(1_000_000, 0) == Decimal("0.20")
    assert Tariff().cost(0, 1_024 * 1_000 * 1_000) == Decimal("0.0166667")


@given(requests=st.integers(0, 10**9), megabyte_ms=st.integers(0, 10**15))
def test_cost_is_the_published_formula(requests: int, megabyte_ms: int) -> None:
    """In decimals it agrees with exact fractions to far below a cent."""
    tariff = Tariff()
    exact = requests * Fraction(tariff.price_request) + Fraction(megabyte_ms, 1_024_000) * Fraction(
        tariff.price_gb_second
    )
    assert abs(Fraction(tariff.cost(requests, megabyte_ms)) - exact) <= exact * Fraction(1, 10**20)


def test_gb_seconds_are_exact() -> None:
    """1/1,024,000 ends after 13 decimals, so nothing is rounded."""
    assert gb_seconds(1) * 1_024_000 == 1
    assert gb_seconds(128 * 8_000) == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_what_never_ran_is_free_and_the_rest_is_charged(outcome: Outcome) -> None:
    """Throttled, overloaded and denied requests cost nothing; every other outcome does."""
    charge = Tariff().charge(usage(outcome=outcome))
    assert (charge == 0) == (outcome in NEVER_RAN)
    assert (outcome in NEVER_RAN) == (outcome in {"throttled", "overloaded", "denied"})


@pytest.mark.parametrize(
    "wrong",
    [{"fuel_per_ms": 0}, {"price_request": Decimal(-1)}, {"price_gb_second": Decimal(-1)}],
)
def test_a_tariff_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """A bad tariff is a configuration error at start, not a division by zero on a request."""
    with pytest.raises(InvalidConfiguration):
        Tariff(**wrong)  # type: ignore[arg-type]
