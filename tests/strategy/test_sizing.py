"""Kelly with a part of the bankroll, shrunk for error, on what is held; and the caps beneath it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import DOLLAR, Money, Price, Quantity, contracts
from core.strategy.kelly import kelly
from core.strategy.outcomes import Outcomes
from core.strategy.sizing import (
    Cap,
    Held,
    Offer,
    Stake,
    affordable,
    played,
    shrink,
    smallest,
    stakes,
    whole,
)

FAR = contracts(100_000)


def three(a: float = 0.4, b: float = 0.3) -> Outcomes:
    """Brackets A and B, and what is left."""
    pays = {"A": (True, False, False), "B": (False, True, False)}
    return Outcomes((a, b, 1 - a - b), pays, exclusive=True)


def offer(ticker: str, worth: float, cost: float, yes: bool = True, sigma: float = 0.0) -> Offer:
    return Offer(ticker, yes, cost, worth - cost, sigma, FAR)


def dollars(count: float) -> Money:
    return Money(int(count * DOLLAR))


def test_one_bet_is_kelly_of_the_part_shrunk_by_baker_and_mchale() -> None:
    found = stakes(three(), [offer("A", 0.4, 0.3, sigma=0.05)], {}, dollars(1_000))["A"]
    assert found.full == pytest.approx(kelly(0.4, 0.3), abs=1e-9)
    assert found.shrink == pytest.approx(0.01 / (0.01 + 0.0025))
    staked = kelly(0.4, 0.3) * 0.8 * 1_000
    assert found.wanted == contracts(int(staked / 0.3))


def test_an_unshrunk_event_is_the_closed_form(made: object) -> None:
    found = stakes(three(), [offer("A", 0.4, 0.3), offer("B", 0.3, 0.25)], {}, dollars(1_000))
    reserve = 0.3 / 0.45
    assert found["A"].full == pytest.approx(0.4 - 0.3 * reserve)
    assert found["B"].full == pytest.approx(0.3 - 0.25 * reserve)
    for ticker, cost in (("A", 0.3), ("B", 0.25)):
        wanted = found[ticker].full * 1_000 / cost
        assert found[ticker].wanted / contracts(1) == pytest.approx(wanted, abs=1)


@given(st.floats(0.2, 0.5), st.floats(0.1, 0.4), st.floats(0, 0.1), st.booleans())
def test_shrinking_scales_every_stake_alike(a: float, b: float, sigma: float, no: bool) -> None:
    event = three(a, b)
    second = offer("B", 1 - b, 1 - b - 0.06, False) if no else offer("B", b, b - 0.04)
    sure = [offer("A", a, a - 0.05), second]
    unsure = [msgspec.structs.replace(o, sigma=sigma) for o in sure]
    full = stakes(event, sure, {}, dollars(10_000))
    found = stakes(event, unsure, {}, dollars(10_000))
    for ticker, stake in found.items():
        assert stake.full == full[ticker].full
        assert 0 < stake.shrink <= 1
        expected = full[ticker].wanted * stake.shrink
        assert stake.wanted == pytest.approx(expected, abs=contracts(4))


def test_errors_of_one_forecast_add_up() -> None:
    pair = [offer("A", 0.4, 0.3, sigma=0.05), offer("B", 0.3, 0.2, sigma=0.05)]
    both = stakes(three(), pair, {}, dollars(1_000))
    # Edges and errors alike: twice the gain with twice the error is as sure as one of them.
    assert both["A"].shrink == pytest.approx(shrink(0.1, 0.05))


@given(st.integers(0, 300))
def test_looking_again_after_a_fill_wants_no_more(filled: int) -> None:
    one = offer("A", 0.4, 0.3, sigma=0.03)
    flat = stakes(three(), [one], {}, dollars(500))["A"].wanted
    had = min(contracts(filled), flat)
    held = {"A": (Held(had, Money(had * 3 // 10)),)}
    again = stakes(three(), [one], held, dollars(500))["A"].wanted
    assert flat - had - contracts(2) <= again <= flat - had + contracts(1)


def test_what_is_held_on_another_outcome_is_part_of_the_bet() -> None:
    one = offer("A", 0.4, 0.36)
    flat = stakes(three(), [one], {}, dollars(1_000))["A"].wanted
    other = {"B": (Held(contracts(300), dollars(90)),)}
    hedged = stakes(three(), [one], other, dollars(1_000))["A"].wanted
    against = {"B": (Held(Quantity(-contracts(300)), dollars(210)),)}
    doubled = stakes(three(), [one], against, dollars(1_000))["A"].wanted
    # YES on B loses where A wins: A evens it out. NO on B wins with A: there is less to gain by it.
    assert doubled < flat < hedged


def test_an_order_that_may_fill_counts_as_held() -> None:
    one = offer("A", 0.4, 0.3)
    filled = {"A": (Held(contracts(50), dollars(15)),)}
    working = {"A": (Held(contracts(20), dollars(6)), Held(contracts(30), dollars(9)))}
    assert stakes(three(), [one], filled, dollars(500)) == stakes(three(), [one], working, dollars(500))


def test_nothing_is_added_where_what_is_held_could_cost_the_whole_part() -> None:
    one = offer("A", 0.4, 0.3)
    held = {"B": (Held(contracts(400), dollars(100)),)}
    assert stakes(three(), [one], held, dollars(100))["A"].wanted == 0
    unpriced = {"Z": (Held(contracts(400), dollars(100)),)}
    assert stakes(three(), [one], unpriced, dollars(100))["A"].wanted == 0
    assert stakes(three(), [one], unpriced, dollars(1_000))["A"].wanted > 0


def test_a_bet_that_cannot_be_had_leaves_room_for_the_other() -> None:
    free = [offer("A", 0.4, 0.3), offer("B", 0.3, 0.25)]
    tight = [msgspec.structs.replace(free[0], most=contracts(10)), free[1]]
    alone, both = (stakes(three(), o, {}, dollars(1_000)) for o in (tight, free))
    assert alone["A"].wanted == contracts(10)
    assert alone["B"].wanted < both["B"].wanted  # B paid for itself as a hedge of A
    assert alone["A"].full == both["A"].full, "what its own caps leave out is shown"
    assert explained(alone["B"], free[1], 1_000) == pytest.approx(alone["B"].wanted / contracts(1), abs=1)


def explained(stake: Stake, of: Offer, playing: float) -> float:
    """The contracts that a card's figures come to."""
    return stake.full * stake.shrink * playing / of.cost


@given(
    st.floats(0.2, 0.5), st.floats(0.1, 0.3), st.floats(0.02, 0.12), st.floats(0.02, 0.08),
    st.floats(0.0, 0.06), st.integers(1, 400), st.booleans(),
)  # fmt: skip
def test_a_stake_is_what_its_figures_say_whatever_its_sibling_is_capped_at(
    a: float, b: float, gain: float, less: float, sigma: float, cap: int, no: bool
) -> None:
    capped = msgspec.structs.replace(offer("A", a, a - gain, sigma=sigma), most=contracts(cap))
    other = offer("B", 1 - b, 1 - b - less, False, sigma) if no else offer("B", b, b - less, sigma=sigma)
    found = stakes(three(a, b), [capped, other], {}, dollars(1_000))["B"]
    told = explained(found, other, 1_000)
    assert told - 1 < found.wanted / contracts(1) <= told + 1e-6


def test_a_stake_beside_a_capped_one_wants_no_more_once_it_has_filled() -> None:
    capped = msgspec.structs.replace(offer("A", 0.4, 0.3, sigma=0.03), most=contracts(10))
    other = offer("B", 0.3, 0.25, sigma=0.03)
    flat = stakes(three(), [capped, other], {}, dollars(500))
    assert flat["A"].wanted == contracts(10) and flat["B"].wanted > contracts(50)
    had = {
        "A": (Held(contracts(10), dollars(3)),),
        "B": (Held(flat["B"].wanted, Money(flat["B"].wanted // 4)),),
    }
    spent = msgspec.structs.replace(capped, most=Quantity(0))
    again = stakes(three(), [spent, other], had, dollars(500))
    assert again["B"].wanted <= contracts(2)


def test_the_error_of_a_stake_that_cannot_be_had_vouches_for_no_other() -> None:
    sure, unsure = offer("A", 0.4, 0.2, sigma=0.01), offer("B", 0.3, 0.27, sigma=0.05)
    alone = stakes(three(), [unsure], {}, dollars(1_000))["B"]
    crumb = msgspec.structs.replace(sure, most=contracts(1))
    beside = stakes(three(), [crumb, unsure], {}, dollars(1_000))["B"]
    assert beside.shrink == pytest.approx(alone.shrink, rel=0.1)
    assert beside.wanted == pytest.approx(alone.wanted, rel=0.1)


def test_what_is_at_risk_elsewhere_scales_the_part_down() -> None:
    assert played(dollars(1_000), 0.25, Money(0)) == dollars(250)
    assert played(dollars(1_000), 0.25, dollars(250)) == dollars(125)
    assert played(dollars(1_000), 0.0, dollars(250)) == played(Money(-5), 0.25, Money(0)) == 0


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
