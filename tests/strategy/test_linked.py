"""The difference between two venues: figures worked out by hand, and what no book may change about them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import FeeSchedule, FeeType, Strike, StrikeKind
from core.domain.order import BookSide, Outcome
from core.domain.units import ONE_DOLLAR, Price, Quantity, contracts
from core.strategy.linked import NoWay, Offered, Way, apart, ways
from tests.strategy.conftest import Levels, book_of, market_of

KALSHI = FeeSchedule(FeeType.QUADRATIC)
POLYMARKET = FeeSchedule(FeeType.TAKER_CURVE, multiplier_e6=50_000)
"""A rate of 0.05."""
YES, NO = Outcome.YES, Outcome.NO
SIDE = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 50)), max_size=6)


def kalshi(bids: Levels = (), asks: Levels = ()) -> Offered:
    return Offered("kalshi", KALSHI, Quantity(0), book_of(bids, asks))


def polymarket(bids: Levels = (), asks: Levels = (), minimum: int = 5) -> Offered:
    return Offered("polymarket", POLYMARKET, contracts(minimum), book_of(bids, asks))


def found(one: Offered, other: Offered, count: int = 10, *, opposite: bool = False) -> tuple[Way, Way]:
    both = ways(one, other, contracts(count), opposite=opposite)
    for way in both:
        assert isinstance(way, Way), way
    return both  # type: ignore[return-value]  # both were looked at


def test_yes_here_and_no_there_by_hand() -> None:
    yes, no = found(kalshi([(42, 50)], [(44, 50)]), polymarket([(50, 50)], [(52, 50)]))
    # YES at 44c on Kalshi, NO at 1 - 50c on Polymarket: ten pairs cost 4.40 + 5.00.
    assert (yes.outcomes, yes.quantity, yes.cost) == ((YES, NO), contracts(10), 9_400_000)
    # Kalshi: 0.07 x 10 x 0.44 x 0.56 = 0.17248, and at most 0.000001 a hundredth of a contract (0.001) and a
    # step of the balance's grid (0.0001) more. Polymarket: 0.05 x 10 x 0.50 x 0.50 = 0.125.
    assert yes.fee == 172_480 + 1_000 + 100 + 125_000
    # 10 - 9.40 - 0.29858 = 0.30142 for ten: 3.0142 cents each, rounded down to a hundredth.
    assert yes.difference == 301
    # NO at 1 - 42c and YES at 52c: 5.80 + 5.20, 0.07 x 10 x 0.42 x 0.58 and 0.05 x 10 x 0.52 x 0.48 of fees.
    assert (no.outcomes, no.cost) == ((NO, YES), 11_000_000)
    assert no.fee == 170_520 + 1_100 + 124_800
    # 10 - 11 - 0.29642 = -1.29642 for ten: -12.9642 cents each, rounded down, which is against us.
    assert no.difference == -1297


def test_opposites_are_bought_on_the_same_side_of_both() -> None:
    yes, no = found(kalshi([(42, 50)], [(44, 50)]), polymarket([(48, 50)], [(50, 50)]), opposite=True)
    assert (yes.outcomes, yes.cost) == ((YES, YES), 4_400_000 + 5_000_000)
    assert (no.outcomes, no.cost) == ((NO, NO), 5_800_000 + 5_200_000)


def test_both_books_are_walked_and_the_thinner_one_sets_the_size() -> None:
    thin = polymarket([(50, 6), (49, 2), (48, 99)], [(52, 50)])
    yes, _ = found(kalshi([(42, 50)], [(44, 4), (45, 3)]), thin, 20)
    # Kalshi has 7 YES: 4 at 44c and 3 at 45c. Of the NO 6 cost 50c and one 51c.
    assert (yes.quantity, yes.cost) == (contracts(7), 1_760_000 + 1_350_000 + 3_000_000 + 510_000)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (kalshi([(42, 50)]), polymarket([(50, 50)]), "kalshi has no YES to buy"),
        (kalshi((), [(44, 50)]), polymarket(), "polymarket has no NO to buy"),
        (kalshi((), [(44, 4)]), polymarket([(50, 50)]), "polymarket takes no order under 5.00"),
        ("KX-1 is inactive", polymarket([(50, 50)]), "KX-1 is inactive"),
        (kalshi((), [(44, 50)]), "slug is not on the desk", "slug is not on the desk"),
        (
            Offered("kalshi", FeeSchedule(FeeType.UNKNOWN), Quantity(0), book_of((), [(44, 50)])),
            polymarket([(50, 50)]),
            "kalshi: the market's fee type is unknown: its fees cannot be computed",
        ),
    ],
)
def test_what_cannot_be_bought_says_why_and_shows_no_figure(one: Any, other: Any, why: str) -> None:
    assert ways(one, other, contracts(10), opposite=False)[0] == NoWay((YES, NO), why)


@pytest.mark.parametrize(
    ("sizes", "pairs", "cost"),
    [
        # 0.019999 contracts are 0.01 at the venue: 44c and 50c a contract.
        ((15_000, 4_999), 10_000, 4_400 + 5_000),
        # 0.010001 at 44c and 0.009999 at 45c are $0.00889999, to a whole millionth against whoever pays.
        ((10_001, 9_999), 20_000, 8_900 + 10_000),
    ],
)
def test_slivers_are_cut_to_what_a_venue_takes_and_paid_in_full(
    sizes: tuple[int, int], pairs: int, cost: int
) -> None:
    book = book_of((), ())
    for at, size in zip((4400, 4500), sizes, strict=True):
        assert book.set(BookSide.ASK, Price(at), Quantity(size))
    here = Offered("kalshi", KALSHI, Quantity(0), book)
    way, _ = ways(here, polymarket([(50, 50)], (), 0), contracts(1), opposite=False)
    assert isinstance(way, Way) and (way.quantity, way.cost) == (pairs, cost)


def each_way(
    one: tuple[Levels, Levels], other: tuple[Levels, Levels], count: int, opposite: bool
) -> list[Way]:
    both = ways(kalshi(*one), polymarket(*other, minimum=0), contracts(count), opposite=opposite)
    return [way for way in both if isinstance(way, Way)]


BOOK = st.tuples(SIDE, SIDE)


@given(BOOK, BOOK, st.integers(1, 120), st.booleans())
def test_the_net_difference_is_never_better_than_the_gross_one(
    one: tuple[Levels, Levels], other: tuple[Levels, Levels], count: int, opposite: bool
) -> None:
    for way in each_way(one, other, count, opposite):
        gross = (way.quantity - way.cost) * ONE_DOLLAR // way.quantity
        assert way.fee >= 0 and way.difference <= gross
        exact = (way.quantity - way.cost - way.fee) * ONE_DOLLAR / way.quantity
        assert exact - 1 < way.difference <= exact + 1e-6, "rounded against whoever reads it"
        assert 0 < way.quantity <= contracts(count)


@given(BOOK, BOOK, st.integers(1, 100), st.integers(1, 50), st.booleans())
def test_more_is_never_cheaper_and_never_fewer(
    one: tuple[Levels, Levels], other: tuple[Levels, Levels], count: int, more: int, opposite: bool
) -> None:
    small, large = (each_way(one, other, size, opposite) for size in (count, count + more))
    assert len(small) == len(large)
    for few, many in zip(small, large, strict=True):
        assert few.quantity <= many.quantity
        assert few.cost * many.quantity <= (many.cost + 1) * few.quantity, "average cost of a pair"


@given(BOOK, BOOK, st.integers(1, 100))
def test_which_market_is_named_first_changes_nothing(
    one: tuple[Levels, Levels], other: tuple[Levels, Levels], count: int
) -> None:
    here, there = kalshi(*one), polymarket(*other)
    forth = ways(here, there, contracts(count), opposite=False)
    back = ways(there, here, contracts(count), opposite=False)
    for way, same in zip(forth, reversed(back), strict=True):
        assert way.outcomes == same.outcomes[::-1]
        if isinstance(way, Way):
            assert msgspec.structs.replace(way, outcomes=same.outcomes) == same


def test_what_is_known_to_differ_is_named() -> None:
    one = market_of("KX-1")
    assert apart(one, one) == ()
    other = msgspec.structs.replace(
        one,
        close_ms=one.close_ms + 3 * 3_600_000 + 1,
        station="KLGA",
        climate_day="2026-11-24",
        strike=Strike(StrikeKind.GREATER_OR_EQUAL, floor=48),
    )
    assert apart(one, other) == (
        "trading closes 3 h 1 min apart",
        "day unknown, 2026-11-24",
        "station unknown, KLGA",
        "strike between 48 to 49, greater or equal 48",
    )
