"""Positions by average cost: the venue's worked example, a naive model in fractions, settlement."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import Venue
from core.domain.order import BookSide, Fill
from core.domain.position import Position, apply, marked, settle
from core.domain.units import Money, Price, Quantity, parse_money, parse_price, parse_quantity

BUY, SELL = BookSide.BID, BookSide.ASK


def fill(side: BookSide, count: str, price: str, fee: str = "0") -> Fill:
    return Fill(
        "t",
        Venue.KALSHI,
        "T",
        "v",
        side,
        parse_price(price),
        parse_quantity(count),
        parse_money(fee),
        True,
        0,
    )


def folded(*fills: Fill) -> Position:
    position = Position()
    for one in fills:
        position = apply(position, one)
    return position


def test_the_worked_example_of_average_cost() -> None:
    first = folded(fill(BUY, "10", "0.32"))
    assert (first.net, first.cost, first.realised) == (10_000_000, 3_200_000, 0)
    second = apply(first, fill(SELL, "4", "0.40"))
    assert (second.net, second.cost, second.realised) == (6_000_000, 1_920_000, 320_000)
    third = apply(second, fill(SELL, "10", "0.35"))
    assert (third.net, third.cost, third.realised) == (-4_000_000, 2_600_000, 500_000)
    assert third.average == parse_price("0.65"), "in terms of NO, which is what is held"


def test_fees_are_kept_apart_from_profit() -> None:
    position = folded(fill(BUY, "1", "0.50", "0.0175"), fill(SELL, "1", "0.60", "-0.0010"))
    assert (position.realised, position.fees) == (100_000, 16_500)
    assert (position.net, position.cost, position.average) == (0, 0, None)


@pytest.mark.parametrize(
    ("side", "payout", "realised"),
    [(BUY, 10_000, 6_800_000), (BUY, 0, -3_200_000), (SELL, 10_000, -6_800_000), (SELL, 0, 3_200_000)],
)
def test_settlement_pays_the_winner_and_takes_the_cost(side: BookSide, payout: int, realised: int) -> None:
    done = settle(folded(fill(side, "10", "0.32")), Price(payout))
    assert (done.net, done.cost, done.realised) == (0, 0, realised)
    assert settle(done, Price(payout)) == done, "settling again changes nothing"


@pytest.mark.parametrize(
    ("side", "bid", "ask", "open_pnl"),
    [
        (BUY, 3500, 3700, 300_000),
        (SELL, 3500, 3700, -500_000),
        (BUY, None, 3700, None),
        (SELL, 3500, None, None),
    ],
)
def test_marks_are_what_we_could_sell_at(
    side: BookSide, bid: int | None, ask: int | None, open_pnl: int | None
) -> None:
    position = folded(fill(side, "10", "0.32"))
    assert marked(position, Price(bid) if bid else None, Price(ask) if ask else None) == open_pnl


def test_nothing_held_is_worth_nothing_whatever_the_book() -> None:
    assert marked(Position(), None, None) == 0


fills = st.lists(
    st.builds(
        lambda side, price, count, fee: Fill(
            "t", Venue.KALSHI, "T", "v", side, Price(price), Quantity(count * 10_000), Money(fee), True, 0
        ),
        st.sampled_from(BookSide),
        st.integers(1, 9_999),
        st.integers(1, 5_000),
        st.integers(-50, 50_000),
    ),
    max_size=12,
)


@settings(max_examples=200)
@given(fills, st.sampled_from([0, 10_000, 4_321]))
def test_cash_and_fold_agree_to_a_millionth_a_fill(trades: list[Fill], payout: int) -> None:
    """The naive model: YES bought and sold for cash, what is left paid out. No averages anywhere."""
    cash, net = Fraction(0), 0
    for trade in trades:
        signed = trade.side.sign * trade.quantity
        cash -= Fraction(signed * trade.price, 10_000)
        net += signed
    position = folded(*trades)
    assert position.net == net
    assert position.fees == sum(trade.fee for trade in trades)
    assert position.cost >= 0
    final = settle(position, Price(payout))
    naive = cash + Fraction(net * payout, 10_000)
    # Kalshi's fills of 0.01 contract are whole millionths of a dollar; only a fractional payout rounds.
    assert abs(final.realised - naive) < 1
    assert position.cost == 0 or position.net != 0


@settings(max_examples=200)
@given(fills)
def test_average_cost_against_fractions(trades: list[Fill]) -> None:
    held, cost, realised = 0, Fraction(0), Fraction(0)
    for trade in trades:
        signed = trade.side.sign * trade.quantity
        closing = min(abs(signed), abs(held)) if held * signed < 0 else 0
        if closing:
            price = trade.price if held > 0 else 10_000 - trade.price
            part = cost * closing / abs(held)
            realised += Fraction(price * closing, 10_000) - part
            cost -= part
        opening = abs(signed) - closing
        cost += Fraction((trade.price if signed > 0 else 10_000 - trade.price) * opening, 10_000)
        held += signed
    position = folded(*trades)
    # Each partial close may shift less than a millionth between cost and realised, never lose it.
    assert abs(position.cost - cost) <= len(trades)
    assert abs(position.realised - realised) <= len(trades)
    assert abs((position.realised - position.cost) - (realised - cost)) < 1


@pytest.mark.parametrize("side", [BUY, SELL])
def test_less_than_a_millionth_is_rounded_against_us(side: BookSide) -> None:
    price = "0.5001"
    opened = folded(fill(side, "0.000001", price))
    assert opened.cost == 1  # half a millionth paid, at least
    assert apply(opened, fill(side.opposite, "0.000001", price)).realised == -1
