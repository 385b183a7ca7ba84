"""Kelly against its published example, its conditions, and an independent numerical optimiser."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from core.strategy.kelly import Bet, best, exclusive, growth, kelly

EXAMPLE = ((0.05, 0.08), (0.20, 0.22), (0.35, 0.27), (0.25, 0.24), (0.10, 0.15), (0.05, 0.10))


def all_in(price: float) -> float:
    return price + 0.07 * price * (1 - price)


def yes(places: int, i: int, cost: float, most: float = math.inf) -> Bet:
    return Bet(tuple(i == j for j in range(places)), cost, min(most, 1 / cost))


def no(places: int, i: int, cost: float, most: float = math.inf) -> Bet:
    return Bet(tuple(i != j for j in range(places)), cost, min(most, 1 / cost))


def wealth(start: Sequence[float], bets: Sequence[Bet], contracts: Sequence[float]) -> np.ndarray:
    gains = [
        count * (np.array(bet.pays, float) - bet.cost) for bet, count in zip(bets, contracts, strict=True)
    ]
    return np.array(start) + sum(gains, np.zeros(len(start)))


def optimum(p: Sequence[float], start: Sequence[float], bets: Sequence[Bet], near: Sequence[float]) -> float:
    """Growth that SLSQP finds from nothing and from ``near``."""
    chance, held = np.array(p), np.array(start)
    happens = chance > 0
    chance, held = chance[happens], held[happens]
    rows = [[float(bet.pays[j]) - bet.cost for bet in bets] for j in range(len(p)) if happens[j]]
    gains = np.array(rows)

    def loss(x: np.ndarray) -> float:
        now = held + gains @ x
        return float(-chance @ np.log(now)) if now.min() > 1e-9 else 1e3

    def slope(x: np.ndarray) -> np.ndarray:
        return -(chance / np.maximum(held + gains @ x, 1e-9)) @ gains

    found = [
        minimize(
            loss,
            x0,
            jac=slope,
            bounds=[(0, bet.most) for bet in bets],
            constraints={"type": "ineq", "fun": lambda x: held + gains @ x - 1e-6, "jac": lambda x: gains},
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 400},
        ).fun
        for x0 in (np.zeros(len(bets)), np.array(near))
    ]
    return float(-min(found))


Event = tuple[list[float], list[float], list[Bet]]


@st.composite
def events(draw: st.DrawFn, held: bool = True, most: bool = True) -> Event:
    """Chances, wealth by outcome, and bets on and against the outcomes, at prices around the chances."""
    listed = draw(st.integers(1, 7))
    weights = [draw(st.floats(0.004, 1)) ** draw(st.sampled_from([1, 2])) for _ in range(listed + 1)]
    if draw(st.booleans()):
        weights[-1] = 0.0  # the markets are exhaustive
    p = [w / sum(weights) for w in weights]
    bets = []
    for i in range(listed):
        price = min(0.97, max(0.02, p[i] * draw(st.floats(0.6, 1.5))))
        for make, cost in ((yes, all_in(price)), (no, all_in(1 - price + 0.01))):
            if draw(st.booleans()):
                cap = draw(st.floats(0, 0.3)) / cost if most and draw(st.booleans()) else math.inf
                bets.append(make(listed + 1, i, cost, cap))
    start = [1 + draw(st.floats(-0.7, 1)) if held else 1.0 for _ in p]
    return p, start, bets


@settings(max_examples=150, deadline=None)
@given(events())
def test_no_independent_optimiser_finds_more(event: Event) -> None:
    p, start, bets = event
    found = best(p, start, bets)
    reached = growth(p, wealth(start, bets, found.contracts))
    assert found.gap <= 1e-9
    assert all(0 <= count <= bet.most for count, bet in zip(found.contracts, bets, strict=True))
    if bets:
        assert reached >= optimum(p, start, bets, found.contracts) - 1e-9


@settings(max_examples=60, deadline=None)
@given(events(), st.data())
def test_the_gap_bounds_what_any_other_choice_adds(event: Event, data: st.DataObject) -> None:
    p, start, bets = event
    found = best(p, start, bets)
    other = [data.draw(st.floats(0, 1)) * bet.most * 0.1 for bet in bets]
    after = wealth(start, bets, other)
    if all(w > 0 for w, chance in zip(after, p, strict=True) if chance > 0):
        assert growth(p, after) <= growth(p, wealth(start, bets, found.contracts)) + found.gap + 1e-12


@settings(max_examples=60, deadline=None)
@given(events(held=False, most=False))
def test_the_closed_form_of_yes_alone_is_the_optimum(
    event: tuple[list[float], list[float], list[Bet]],
) -> None:
    p, start, bets = event
    bets = [bet for bet in bets if (sum(bet.pays) == 1 and len(bet.pays) > 2) or bet.pays == (True, False)]
    chances = [(p[bet.pays.index(True)], bet.cost) for bet in bets]
    if sum(chance for chance, _ in chances) > 1 - 1e-9:
        return  # all that can happen is on offer: that may be an arbitrage
    closed = [f / bet.cost for f, bet in zip(exclusive(chances), bets, strict=True)]
    assert growth(p, wealth(start, bets, closed)) == pytest.approx(
        growth(p, wealth(start, bets, best(p, start, bets).contracts)), abs=1e-9
    )


def test_published_example_buys_a_hedge_with_negative_edge() -> None:
    p, costs = [p for p, _ in EXAMPLE], [all_in(q) for _, q in EXAMPLE]
    assert (costs[2], costs[3]) == (pytest.approx(0.2838, abs=5e-5), pytest.approx(0.2528, abs=5e-5))
    fractions = exclusive(list(zip(p, costs, strict=True)))
    assert fractions == pytest.approx([0, 0, 0.1050, 0.0318, 0, 0], abs=5e-5)
    assert kelly(0.35, costs[2]) == pytest.approx(0.0924, abs=5e-5)
    bets = [yes(6, i, cost) for i, cost in enumerate(costs)]
    found = best(p, [1.0] * 6, bets)
    assert [c * b.cost for c, b in zip(found.contracts, bets, strict=True)] == pytest.approx(
        fractions, abs=1e-5
    )
    assert growth(p, wealth([1.0] * 6, bets, found.contracts)) == pytest.approx(0.01175, abs=5e-6)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0.5, 5000))
def test_one_contract_is_the_special_case(p: float, cost: float, money: float) -> None:
    assert exclusive([(p, cost)])[0] == pytest.approx(kelly(p, cost), abs=1e-12)
    found = best([p, 1 - p], [money, money], [Bet((True, False), cost, money / cost)])
    assert found.contracts[0] * cost / money == pytest.approx(kelly(p, cost), abs=2e-4)


def test_what_is_held_counts() -> None:
    """A holding is a bet made already: the rest of the optimum is added, and beyond it nothing is."""
    p, bet = [0.4, 0.6], yes(2, 0, 0.3)
    flat = best(p, [100.0, 100.0], [Bet(bet.pays, bet.cost, 1e3)]).contracts[0]
    for held in (0.0, flat / 2, flat, flat * 2):
        start = [100.0 + held * 0.7, 100.0 - held * 0.3]
        added = best(p, start, [Bet(bet.pays, bet.cost, 1e3)]).contracts[0]
        assert added == pytest.approx(max(0.0, flat - held), abs=1e-3)


def test_a_no_is_yes_on_all_the_others() -> None:
    p, cost = [0.2, 0.3, 0.5], 0.7
    against = best(p, [1.0] * 3, [no(3, 0, cost)]).contracts[0]
    assert against * cost == pytest.approx(kelly(0.8, cost), abs=1e-5)


def test_an_arbitrage_stays_within_what_can_be_had() -> None:
    bets = [yes(2, 0, 0.4, 1.5), yes(2, 1, 0.5, 1.0)]
    found = best([0.5, 0.5], [1.0, 1.0], bets)
    assert found.contracts == pytest.approx((1.5, 1.0), rel=0.2)
    assert found.gap <= 1e-9


@pytest.mark.parametrize("start", [[0.0, 1.0], [-1.0, 5.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_without_wealth_there_is_no_log_of_it(start: list[float]) -> None:
    with pytest.raises(ValueError, match="wealth is not positive"):
        best([0.5, 0.5], start, [yes(2, 0, 0.4)])


def test_what_cannot_happen_needs_no_wealth() -> None:
    found = best([0.6, 0.4, 0.0], [1.0, 1.0, -3.0], [yes(3, 0, 0.5)])
    assert found.contracts[0] * 0.5 == pytest.approx(kelly(0.6, 0.5), abs=1e-5)


@pytest.mark.parametrize("rare", [1e-3, 1e-6, 1e-9])
def test_a_rare_ruin_is_never_risked(rare: float) -> None:
    p = [1 - rare, rare]
    found = best(p, [1.0, 1.0], [yes(2, 0, 0.5)])
    assert found.gap <= 1e-9
    assert wealth([1.0, 1.0], [yes(2, 0, 0.5)], found.contracts)[1] > 0
