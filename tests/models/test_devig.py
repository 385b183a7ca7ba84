"""Taking out the margin: worked by hand, and what holds for any prices."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.devig import Method, fair


def pay(prices: list[float]) -> bool:
    """Whether the outcomes together cost a dollar or more."""
    return math.fsum(1 / price for price in prices) >= 1.0


PRICES = st.lists(st.floats(1.01, 200.0), min_size=2, max_size=6).filter(pay)
PAIRS = (
    st.floats(1.01, 100.0)
    .flatmap(lambda one: st.tuples(st.just(one), st.floats(1.01, min(200.0, one / (one - 1)))))
    .map(list)
    .filter(pay)
)


@pytest.mark.parametrize(
    ("method", "decimals", "chances"),
    [
        # .5 + .6 = 1.1
        (Method.MULTIPLICATIVE, (2.0, 1 / 0.6), (5 / 11, 6 / 11)),
        # .5 - .05, .6 - .05
        (Method.ADDITIVE, (2.0, 1 / 0.6), (0.45, 0.55)),
        # .8^2 + .6^2 = 1
        (Method.POWER, (1.25, 1 / 0.6), (0.64, 0.36)),
        # odds of 3 and 1/3, doubled: 6/7 and 2/5
        (Method.ODDS_RATIO, (7 / 6, 2.5), (0.75, 0.25)),
        # z = .04, sqrt(B) = sqrt(.26) + sqrt(.0984) + sqrt(.0464) = 1.038997; r = sqrt(B (z p + (1 - z) p^2))
        (Method.SHIN, (1 / 0.529787, 1 / 0.325921, 1 / 0.223807), (0.5, 0.3, 0.2)),
    ],
)
def test_golden_numbers(method: Method, decimals: tuple[float, ...], chances: tuple[float, ...]) -> None:
    assert fair(decimals, method) == pytest.approx(chances, abs=2e-6)


@given(PRICES, st.sampled_from(Method))
def test_probabilities_sum_to_one_and_keep_the_order_of_the_prices(
    prices: list[float], method: Method
) -> None:
    found = fair(tuple(prices), method)
    if isinstance(found, str):
        assert method is Method.ADDITIVE and "leaves nothing" in found
        return
    assert math.fsum(found) == pytest.approx(1.0, abs=1e-12)
    ranked = sorted(zip(prices, found, strict=True))
    for (low, likely), (high, unlikely) in itertools.pairwise(ranked):
        assert likely >= unlikely - 1e-12, (low, high)


@given(PAIRS)
def test_of_two_outcomes_shin_is_additive(prices: list[float]) -> None:
    additive = fair(tuple(prices), Method.ADDITIVE)
    if not isinstance(additive, str) and min(additive) > 1e-6:
        assert fair(tuple(prices), Method.SHIN) == pytest.approx(additive, abs=1e-9)


@given(PAIRS)
def test_power_gives_the_long_shot_less_than_the_plain_share_does(prices: list[float]) -> None:
    plain, power = (fair(tuple(prices), way) for way in (Method.MULTIPLICATIVE, Method.POWER))
    assert not isinstance(plain, str) and not isinstance(power, str)
    assert min(power) <= min(plain) + 1e-9


@pytest.mark.parametrize("method", Method)
def test_what_is_no_market_is_refused_with_the_reason(method: Method) -> None:
    assert fair((2.0,), method) == "one outcome has no margin to take out"
    assert "less than 1" in str(fair((2.2, 2.2), method))
    assert fair((1.0, 3.0), method) == "a price is not above 1"
    assert fair((math.nan, 3.0), method) == "a price is not above 1"
    assert fair((2.0, 2.0), method) == pytest.approx((0.5, 0.5)), "no margin is none to take out"
