"""Net edge: fees, slippage, both sides, both roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.fees import estimate
from core.domain.market import FeeSchedule, FeeType
from core.domain.order import BookSide
from core.domain.units import Price, contracts
from core.strategy.edge import cost_at, exit_value, net_edge, taker_cost
from core.strategy.proposal import FeeRole

PLAIN = FeeSchedule(FeeType.QUADRATIC)
MAKER_FEES = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
CENTS = st.integers(1, 99).map(lambda c: Price(c * 100))
SIDES = st.sampled_from(BookSide)
ROLES = st.sampled_from(FeeRole)


def test_a_resting_bid_pays_its_price_and_the_maker_fee() -> None:
    cost = cost_at(MAKER_FEES, BookSide.BID, Price(3200), contracts(40), FeeRole.MAKER)
    assert (cost.average, cost.fee) == (3200, estimate(MAKER_FEES, Price(3200), contracts(40), False))
    assert net_edge(0.382, BookSide.BID, cost) in (580, 581)  # 38.2 - 32 - 0.4
    free = cost_at(PLAIN, BookSide.BID, Price(3200), contracts(40), FeeRole.MAKER)
    assert net_edge(0.382, BookSide.BID, free) == 620


def test_buying_no_is_the_mirror() -> None:
    cost = cost_at(PLAIN, BookSide.ASK, Price(4500), contracts(10), FeeRole.MAKER)
    assert cost.average == 5500
    assert net_edge(0.382, BookSide.ASK, cost) == 680  # 61.8 - 55


@given(CENTS, SIDES, ROLES, st.floats(0.01, 0.98), st.floats(0.0001, 0.01))
def test_edge_grows_with_worth_and_with_a_better_price(
    price: Price, side: BookSide, role: FeeRole, fair: float, more: float
) -> None:
    cost = cost_at(PLAIN, side, price, contracts(10), role)
    worth_more = fair + more * side.sign
    assert net_edge(worth_more, side, cost) >= net_edge(fair, side, cost)
    better = Price(price - 100 * side.sign)
    if 0 < better < 10_000:
        # A better price moves the fee by less than two cents' worth of price.
        assert net_edge(fair, side, cost_at(PLAIN, side, better, contracts(10), role)) > net_edge(
            fair, side, cost
        )


@given(CENTS, SIDES, st.floats(0.01, 0.99))
def test_taker_never_beats_maker_at_the_same_price(price: Price, side: BookSide, fair: float) -> None:
    maker, taker = (cost_at(MAKER_FEES, side, price, contracts(10), role) for role in FeeRole)
    assert net_edge(fair, side, taker) <= net_edge(fair, side, maker)


@given(CENTS, SIDES, ROLES, st.floats(0.01, 0.99), st.integers(1, 500))
def test_edge_is_never_shown_better_than_it_is(
    price: Price, side: BookSide, role: FeeRole, fair: float, count: int
) -> None:
    cost = cost_at(MAKER_FEES, side, price, contracts(count), role)
    worth = fair if side is BookSide.BID else 1 - fair
    exact = worth * 10_000 - cost.average - cost.fee / contracts(count) * 10_000
    assert exact - 2 <= net_edge(fair, side, cost) <= exact + 1e-6


def test_taking_walks_the_book_up_to_its_limit(made) -> None:
    book = made.book([(30, 10)], [(34, 10), (36, 20), (50, 99)])
    cost = taker_cost(PLAIN, book, BookSide.BID, contracts(20), Price(3600))
    assert cost is not None
    assert (cost.filled, cost.average) == (contracts(20), 3500)
    assert cost.fee == estimate(PLAIN, Price(3400), contracts(10), True) + estimate(
        PLAIN, Price(3600), contracts(10), True
    )
    short = taker_cost(PLAIN, book, BookSide.BID, contracts(100), Price(3600))
    assert short is not None
    assert short.filled == contracts(30)
    assert taker_cost(PLAIN, book, BookSide.BID, contracts(1), Price(3300)) is None
    no = taker_cost(PLAIN, book, BookSide.ASK, contracts(5), Price(3000))
    assert no is not None
    assert no.average == 7000


def test_a_plan_to_sell_costs_a_second_fee() -> None:
    cost = cost_at(PLAIN, BookSide.BID, Price(4000), contracts(10), FeeRole.MAKER)
    held = net_edge(0.5, BookSide.BID, cost)
    assert held - net_edge(0.5, BookSide.BID, cost, exit_fees=PLAIN) == 175


@pytest.mark.parametrize(("held", "price"), [(BookSide.BID, 6000), (BookSide.ASK, 4000)])
def test_selling_brings_the_price_less_the_fee(held: BookSide, price: int) -> None:
    value = exit_value(PLAIN, Price(price), contracts(100), held)
    assert value == 6000 - 170  # 0.07 x 0.6 x 0.4 a contract, and the most that splits may add


def test_an_average_over_levels_is_rounded_against_us(made) -> None:
    book = made.book([(30, 10)], [(31, 1), (32, 2)])
    cost = taker_cost(PLAIN, book, BookSide.BID, contracts(3), Price(3200))
    assert cost is not None
    assert cost.average == 3167  # 31.666...
