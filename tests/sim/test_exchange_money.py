"""Cash, collateral and positions: netting by hand, then invariants on random orders."""

from __future__ import annotations

import pytest

from core.domain.units import contracts, parse_money
from core.sim.orders import BookSide, OrderStatus, Placed, Reason, Refused, TimeInForce

BID, ASK = BookSide.BID, BookSide.ASK
DEPOSITS = parse_money("3000")


def test_buying_selling_and_overselling_settle_in_cash_to_the_micro_dollar(floor):
    """Buy 10 at 0.32, sell 4 at 0.40, sell 10 at 0.35: closes six and opens four NO at 0.65."""
    ticker = "KXHIGHNY-26NOV23-B48.5"
    floor.placed("bob", ASK, "0.32", 10)
    floor.placed("ann", BID, "0.32", 10)
    floor.placed("bob", BID, "0.40", 4)
    floor.placed("ann", ASK, "0.40", 4)
    floor.placed("bob", BID, "0.35", 10)
    floor.placed("ann", ASK, "0.35", 10)
    held = floor.exchange.account("ann").holding(ticker)
    assert held.position == -contracts(4)
    assert held.realized == parse_money("0.50")
    assert held.cost == parse_money("2.60")
    fees = parse_money("0.1524") + parse_money("0.0672") + parse_money("0.1593")
    assert held.fees == fees
    spent = parse_money("3.20") - parse_money("1.60") - parse_money("2.10") + parse_money("2.60")
    assert floor.cash("ann") == parse_money("1000") - spent - fees


def test_resting_orders_reserve_their_worst_case_and_nothing_for_a_close(floor):
    floor.placed("ann", BID, "0.30", 100)
    assert floor.exchange.account("ann").available == parse_money("970")
    floor.placed("bob", ASK, "0.30", 100)
    floor.placed("ann", ASK, "0.60", 100)
    assert floor.exchange.account("ann").available == floor.cash("ann") == parse_money("970")
    floor.placed("ann", ASK, "0.70", 100)
    assert floor.exchange.account("ann").available == parse_money("930")


def test_an_order_beyond_free_cash_is_refused_fee_included(floor):
    assert isinstance(floor.order("ann", BID, "0.50", "1951.00"), Refused)
    floor.placed("ann", BID, "0.50", 1000)
    assert isinstance(floor.order("ann", BID, "0.60", 900), Refused)
    assert isinstance(floor.order("ann", BID, "0.60", 800), Placed)


def test_settlement_pays_one_dollar_and_leaves_no_position(floor):
    ticker = "KXHIGHNY-26NOV23-B48.5"
    floor.placed("ann", BID, "0.30", 10)
    floor.placed("bob", ASK, "0.30", 10)
    floor.exchange.determine(ticker, "yes", "48")
    assert floor.cash("ann") == parse_money("997")
    floor.later(3_600)
    assert floor.cash("ann") == parse_money("1007")
    assert floor.cash("bob") == parse_money("993") - parse_money("0.147")
    assert floor.position("ann") == floor.position("bob") == 0
    paid = floor.exchange.account("ann").settlements[0]
    assert (paid.revenue, paid.yes_count, paid.yes_cost) == (
        parse_money("10"),
        contracts(10),
        parse_money("3"),
    )


def test_a_close_that_uncovers_a_resting_order_cancels_what_cannot_be_paid(floor):
    floor.exchange.open_account("dee", parse_money("1"))
    floor.placed("bob", ASK, "0.05", 10)
    floor.placed("dee", BID, "0.05", 10)
    covered = floor.placed("dee", ASK, "0.15", 10)
    floor.placed("bob", BID, "0.04", 10)
    floor.placed("dee", ASK, "0.04", 10, TimeInForce.IOC, reduce_only=True)
    assert (covered.order.status, covered.order.reason) == (OrderStatus.CANCELED, Reason.MARGIN)
    assert floor.exchange.account("dee").available == floor.cash("dee") > 0


@pytest.mark.parametrize("grid", [100, 10_000])
def test_balances_stay_on_the_accounts_grid(make_floor, grid):
    floor = make_floor()
    floor.exchange.open_account("dee", parse_money("100"), grid=grid)
    floor.placed("ann", ASK, "0.33", "0.07")
    floor.placed("dee", BID, "0.33", "0.07")
    assert floor.cash("dee") % grid == 0
    assert floor.cash("dee") < parse_money("100") - parse_money("0.0231")


def test_orders_that_dearer_fees_make_unaffordable_are_margin_cancelled(make_floor):
    floor = make_floor(fee_type="quadratic_with_maker_fees")
    older = floor.placed("ann", BID, "0.50", 900).order
    newer = floor.placed("ann", BID, "0.50", 1_000).order
    start = floor.clock.ms
    floor.exchange.tariffs.change_event("KXHIGHNY-26NOV23", None, 10.0, start)
    floor.exchange.advance()
    assert (newer.status, newer.reason) == (OrderStatus.CANCELED, Reason.MARGIN)
    assert older.status is OrderStatus.RESTING
    assert floor.exchange.account("ann").available >= 0
