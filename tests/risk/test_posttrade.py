"""What must not be true after a fill: prices, fees, results and marks judged at their bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.fees import UnknownFeeError, fill_fee
from core.domain.market import FeeChange, FeeSchedule, FeeType, Venue
from core.domain.order import BookSide, Fill, OrderIntent, Purpose
from core.domain.units import Money, Price, contracts
from core.risk.posttrade import Closed, Touch, expected, fee_off, jumped, surprise, worse
from tests.risk.desk import DOLLAR, WORLD_MS, market, order

BID, ASK = BookSide.BID, BookSide.ASK


def fill(price: int = 3_000, count: int = 10, fee: int = 0, side: BookSide = BID, taker: bool = True) -> Fill:
    return Fill(
        "t1", Venue.KALSHI, "KXHIGHNY-T48", "v1", side, Price(price), contracts(count), Money(fee), taker, 0
    )


def intent(side: BookSide, purpose: Purpose, price: int) -> OrderIntent:
    return order(side, purpose, price).intent


@given(
    st.sampled_from([BID, ASK]), st.sampled_from(list(Purpose)), st.integers(1, 9_999), st.integers(1, 9_999)
)
def test_a_fill_is_worse_when_it_costs_more_or_brings_less_than_its_order(
    side: BookSide, purpose: Purpose, limit: int, price: int
) -> None:
    wanted = intent(side, purpose, limit)
    paid = price if wanted.outcome.value == "yes" else 10_000 - price
    more = paid > wanted.outcome_price if purpose is Purpose.OPEN else paid < wanted.outcome_price
    assert bool(worse(wanted, fill(price, side=side))) is more


def test_the_sentence_names_trade_price_and_limit_in_terms_of_the_outcome() -> None:
    assert worse(intent(ASK, Purpose.OPEN, 6_000), fill(5_900, side=ASK)) == (
        "trade t1 at 41c is worse than its limit 40c"
    )


@pytest.mark.parametrize(
    ("count", "off", "told"), [(10, 110_000, False), (10, 110_001, True), (1, -20_000, False)]
)
def test_a_fee_may_differ_by_a_tick_a_contract_and_a_rounding(count: int, off: int, told: bool) -> None:
    right = fill_fee(market().fees, Price(3_000), contracts(count), is_taker=True)
    assert bool(fee_off(market(), fill(3_000, count, right + off), WORLD_MS)) is told


def test_a_fill_is_charged_by_the_fees_of_its_own_moment() -> None:
    double = FeeSchedule(FeeType.QUADRATIC, 2_000_000)
    changing = msgspec.structs.replace(market(), fee_changes=(FeeChange(WORLD_MS, double),))
    assert fee_off(changing, fill(5_000, 100, 1_750_000), WORLD_MS - 1) == ""
    assert fee_off(changing, fill(5_000, 100, 3_500_000), WORLD_MS) == ""
    assert fee_off(changing, fill(5_000, 100, 1_750_000), WORLD_MS) != ""


def test_rebates_waivers_and_unknown_schedules() -> None:
    waived = msgspec.structs.replace(
        market(), fees=FeeSchedule(FeeType.QUADRATIC, waived_until_ms=WORLD_MS + 1)
    )
    assert fee_off(waived, fill(5_000, 100, 0), WORLD_MS) == ""
    assert "fee 0.00 where 1.75 was expected" in fee_off(market(), fill(5_000, 100, 0), WORLD_MS)
    assert fee_off(market(), fill(5_000, 100, 0, taker=False), WORLD_MS) == ""
    with pytest.raises(UnknownFeeError):
        fee_off(msgspec.structs.replace(market(), fees=FeeSchedule(FeeType.UNKNOWN)), fill(), WORLD_MS)


# --- results ------------------------------------------------------------------------------------


def closed(event: str, result: float, bought: float = 0.5, paid: int = 5_000, count: int = 10) -> Closed:
    return Closed(event, Money(round(result * DOLLAR)), expected(fill(paid, count), bought, Price(paid)))


def test_what_a_position_is_expected_to_bring_is_the_edge_bought_less_its_fees() -> None:
    first = expected(fill(4_000, 10, fee=70_000), 0.5, Price(4_000))
    both = first.plus(expected(fill(4_000, 10), 0.5, Price(4_000)))
    assert round(both.mean) == 2 * DOLLAR - 70_000
    assert round(both.deviation) == 10 * DOLLAR, "contracts of one market win and lose together"


def test_five_sure_things_that_all_lose_are_a_wrong_model_and_five_coins_are_not() -> None:
    sure = [closed(f"E{n}", -9.0, bought=0.99, paid=9_000) for n in range(5)]
    assert surprise(sure[:4]) == "", "four are no sample"
    assert surprise(sure) == "5 closes brought -45.00 where the model expects 4.50 give or take 2.22"
    assert surprise([closed(f"E{n}", -5.0) for n in range(5)]) == ""
    assert surprise([closed(f"E{n}", 5.0) for n in range(9)]) == "", "three times, not more"
    assert surprise([closed(f"E{n}", 5.0) for n in range(10)]) != "", "too good is as wrong"
    assert surprise([closed("E", 5.0) for n in range(10)]) == "", (
        "one event is one draw, however many brackets"
    )


@given(st.lists(st.floats(0.02, 0.98), min_size=5, max_size=30))
def test_what_was_expected_to_the_cent_is_no_surprise(draws: list[float]) -> None:
    assert surprise([closed(f"E{n}", 10 * p - 5.0, bought=p) for n, p in enumerate(draws)]) == ""


# --- marks --------------------------------------------------------------------------------------


def touch(bid: int, ask: int) -> Touch:
    return Touch(0, Price(bid), Price(ask))


@pytest.mark.parametrize(
    ("before", "now", "fair", "told"),
    [
        ((3_800, 4_200), (6_800, 7_200), 0.40, True),
        ((3_800, 4_200), (6_799, 7_200), 0.40, False),
        ((3_800, 4_200), (6_800, 7_199), 0.40, False),
        ((6_800, 7_200), (3_800, 4_200), 0.70, True),
        ((3_800, 4_200), (800, 7_200), 0.40, False),
        ((3_800, 4_200), (6_800, 7_200), 0.45, False),
        ((3_800, 4_200), (6_800, 7_200), None, True),
    ],
)
def test_a_jump_moves_both_sides_and_away_from_what_is_believed(
    before: tuple[int, int], now: tuple[int, int], fair: float | None, told: bool
) -> None:
    text = jumped(touch(*before), touch(*now), fair)
    assert bool(text) is told
    assert not told or text.startswith("the book jumped from ")
