"""Kelly against its golden example and against a numerical optimum, and the caps beneath it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from core.domain.units import Money, Price, Quantity, contracts
from core.strategy.sizing import (
    Bet,
    Cap,
    affordable,
    event_kelly,
    exclusive_kelly,
    kelly,
    shrink,
    smallest,
    whole,
)


def bets_of(probabilities: list[float], prices: list[float], fee: float = 0.07) -> list[Bet]:
    return [
        Bet(str(i), p, q + fee * q * (1 - q))
        for i, (p, q) in enumerate(zip(probabilities, prices, strict=True))
    ]


def growth(bets: list[Bet], stakes: dict[str, float]) -> float:
    """Expected log wealth; what is not listed pays nothing."""
    kept = 1 - sum(stakes.values())
    rest = 1 - sum(b.probability for b in bets)
    total = sum(b.probability * math.log(kept + stakes.get(b.key, 0.0) / b.cost) for b in bets)
    return total + (rest * math.log(kept) if rest > 1e-12 else 0.0)


def test_published_example_buys_a_hedge_with_negative_edge() -> None:
    bets = bets_of([0.05, 0.20, 0.35, 0.25, 0.10, 0.05], [0.08, 0.22, 0.27, 0.24, 0.15, 0.10])
    assert bets[2].cost == pytest.approx(0.2838, abs=5e-5)
    assert bets[3].cost == pytest.approx(0.2528, abs=5e-5)
    stakes = exclusive_kelly(bets)
    assert stakes == {"2": pytest.approx(0.1050, abs=5e-5), "3": pytest.approx(0.0318, abs=5e-5)}
    assert growth(bets, stakes) == pytest.approx(0.01175, abs=5e-6)
    assert kelly(0.35, bets[2].cost) == pytest.approx(0.0924, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.02, 1), min_size=3, max_size=6), st.data())
def test_exclusive_set_is_the_numerical_optimum(weights: list[float], data: st.DataObject) -> None:
    probabilities = [w / sum(weights) for w in weights]
    prices = [min(0.97, max(0.02, p * data.draw(st.floats(0.6, 1.6)))) for p in probabilities]
    offered = data.draw(st.integers(1, len(prices)))
    bets = bets_of(probabilities, prices)[:offered]
    if sum(b.cost for b in bets) >= 0.999:
        bets = bets[:1]  # an arbitrage set is not Kelly's business
    found = growth(bets, exclusive_kelly(bets))

    def loss(x: np.ndarray) -> float:
        if x.sum() >= 1:
            return 1e3
        return -growth(bets, {b.key: float(s) for b, s in zip(bets, x, strict=True)})

    best = minimize(
        loss,
        np.full(len(bets), 0.01),
        bounds=[(0, 0.95)] * len(bets),
        constraints={"type": "ineq", "fun": lambda x: 0.99 - x.sum()},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 300},
    )
    assert found >= -best.fun - 1e-7


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_one_contract_is_the_special_case(p: float, cost: float) -> None:
    stakes = exclusive_kelly([Bet("x", p, cost)])
    assert stakes.get("x", 0.0) == pytest.approx(kelly(p, cost), abs=1e-12)


def test_no_bets_scale_the_event_down_together() -> None:
    yes, no = Bet("a", 0.4, 0.3), Bet("b", 0.8, 0.7)
    both = event_kelly([yes], [no])
    alone = kelly(0.4, 0.3), kelly(0.8, 0.7)
    assert both["a"] == pytest.approx(alone[0] / (1 + sum(alone)))
    assert event_kelly([], [no]) == {"b": pytest.approx(alone[1])}
    assert event_kelly([yes], []) == exclusive_kelly([yes])


@given(st.floats(0.001, 0.5), st.floats(0.0, 0.5))
def test_shrinking_never_grows_a_stake(edge: float, sigma: float) -> None:
    assert 0 <= shrink(edge, sigma) <= 1
    assert shrink(edge, sigma) >= shrink(edge, sigma + 0.01)
    assert shrink(-edge, sigma) == 0.0


def test_shrinking_example() -> None:
    assert shrink(0.05, 0.08) == pytest.approx(0.28, abs=0.005)


@given(st.integers(-(10**9), 10**12), st.integers(1, 10_000))
def test_what_is_affordable_never_costs_more(money: int, unit: int) -> None:
    quantity = affordable(Money(money), Price(unit))
    assert quantity % contracts(1) == 0
    assert quantity * unit // 10_000 <= max(0, money)
    if money > 0:
        assert (quantity + contracts(1)) * unit > money * 10_000


def test_the_smallest_cap_binds_and_ties_go_to_the_first() -> None:
    caps = [Cap("kelly", contracts(40)), Cap("cash", contracts(12)), Cap("total limit", contracts(12))]
    assert smallest(caps).name == "cash"
    assert whole(Quantity(12_999_999)) == contracts(12)
