"""Cash, collateral and positions: netting by hand, then invariants on random orders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.units import Quantity, contracts, parse_money
from core.sim.accounts import requirement
from core.sim.amending import Amendment, amend, decrease
from core.sim.fees import MAKER_PPM
from core.sim.orders import BookSide, OrderStatus, Placed, Reason, Refused, SelfTrade, TimeInForce

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


ACTIONS = st.tuples(
    st.sampled_from(["ann", "bob", "cyd"]),
    st.sampled_from(["gtc", "ioc", "fok", "reduce", "post", "cancel", "amend", "decrease"]),
    st.sampled_from([BID, ASK]),
    st.integers(40, 60),
    st.integers(1, 90_000),
    st.sampled_from(list(SelfTrade)),
)


def act(floor, action) -> None:
    account, what, side, cents, hundredths, stp = action
    price, count = f"{cents / 100:.2f}", f"{hundredths / 100:.2f}"
    resting = list(floor.exchange.account(account).working.values())
    if what == "cancel":
        if resting:
            floor.exchange.cancel(account, resting[cents % len(resting)].order_id)
    elif what in ("amend", "decrease"):
        if resting:
            order = resting[cents % len(resting)]
            size = Quantity(hundredths * 10_000)
            if what == "amend":
                amend(
                    floor.exchange,
                    account,
                    order.order_id,
                    Amendment(order.ticker, order.side, cents * 100, size),
                )
            else:
                decrease(floor.exchange, account, order.order_id, size)
    else:
        tif = {"ioc": TimeInForce.IOC, "reduce": TimeInForce.IOC, "fok": TimeInForce.FOK}.get(
            what, TimeInForce.GTC
        )
        floor.order(
            account,
            side,
            price,
            count,
            tif,
            post_only=what == "post",
            reduce_only=what == "reduce",
            stp=stp,
        )


def check(floor) -> None:
    exchange, ticker = floor.exchange, "KXHIGHNY-26NOV23-B48.5"
    accounts = exchange.accounts.values()
    positions = [a.position(ticker) for a in accounts]
    assert sum(positions) == 0
    collateral = sum(p for p in positions if p > 0)
    assert exchange.markets[ticker].open_interest == collateral
    assert sum(a.cash for a in accounts) + collateral + exchange.fees_collected == DEPOSITS
    book = exchange.book(ticker)
    assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask
    for account in accounts:
        assert account.cash >= 0
        assert account.available >= 0
        assert account.reserved == requirement(account, ticker, exchange.fees_of(ticker))
        assert set(account.working) == {o.order_id for o in account.resting(ticker)}
    resting = [o for a in accounts for o in a.working.values()]
    assert all(o.status is OrderStatus.RESTING and 0 < o.remaining <= o.initial for o in resting)
    for side, levels in ((BID, book.bids), (ASK, book.asks)):
        by_price: dict[int, int] = {}
        for order in resting:
            if order.side is side:
                by_price[order.price] = by_price.get(order.price, 0) + order.remaining
        assert dict(levels) == by_price


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, min_size=20, max_size=60), st.sampled_from(sorted(MAKER_PPM)), st.booleans())
def test_no_dollar_appears_or_vanishes(make_floor, actions, fee_type, yes) -> None:
    floor = make_floor(fee_type=fee_type)
    for action in actions:
        act(floor, action)
        check(floor)
    floor.exchange.determine("KXHIGHNY-26NOV23-B48.5", "yes" if yes else "no")
    floor.later(3_600)
    accounts = floor.exchange.accounts.values()
    assert all(a.cash == a.available and a.position("KXHIGHNY-26NOV23-B48.5") == 0 for a in accounts)
    assert sum(a.cash for a in accounts) + floor.exchange.fees_collected == DEPOSITS
