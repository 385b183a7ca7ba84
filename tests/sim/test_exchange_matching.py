"""Matching: price-time priority, times in force, self-trade prevention, refusals."""

from __future__ import annotations

import pytest

from core.domain.units import Price, contracts, parse_money, parse_quantity
from core.sim.dialect import Dialect
from core.sim.events import BookChanged, Filled, OrderChanged, Traded
from core.sim.orders import BookSide, OrderStatus, Reason, Refused, SelfTrade, TimeInForce

BID, ASK = BookSide.BID, BookSide.ASK
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def test_better_price_trades_first_then_older_and_always_at_the_resting_price(floor):
    first = floor.placed("ann", BID, "0.40", 10)
    best = floor.placed("bob", BID, "0.42", 5)
    second = floor.placed("bob", BID, "0.40", 10)
    taken = floor.placed("cyd", ASK, "0.40", 20)
    assert [(t.price, t.count) for t in floor.said(Traded)] == [
        (4200, contracts(5)),
        (4000, contracts(10)),
        (4000, contracts(5)),
    ]
    assert (first.order.status, best.order.status) == (OrderStatus.EXECUTED, OrderStatus.EXECUTED)
    assert second.order.remaining == contracts(5)
    assert taken.remaining == 0
    assert taken.average_fill_price == parse_money("0.405")
    assert floor.bids() == [(4000, contracts(5))]


def test_a_resting_remainder_keeps_what_did_not_trade(floor):
    floor.placed("ann", ASK, "0.55", "3.25")
    placed = floor.placed("bob", BID, "0.60", 10)
    assert (placed.fill_count, placed.remaining) == (parse_quantity("3.25"), parse_quantity("6.75"))
    assert floor.bids() == [(6000, parse_quantity("6.75"))]
    assert floor.asks() == []


def test_ioc_cancels_its_remainder(floor):
    floor.placed("ann", ASK, "0.55", 3)
    placed = floor.placed("bob", BID, "0.55", 10, IOC)
    assert (placed.fill_count, placed.remaining, placed.order.status) == (
        contracts(3),
        0,
        OrderStatus.CANCELED,
    )
    nothing = floor.placed("bob", BID, "0.55", 10, IOC)
    assert (nothing.fill_count, nothing.remaining, nothing.average_fill_price) == (0, 0, None)
    assert floor.bids() == []


def test_fok_fills_whole_or_is_killed_with_409_and_burns_its_id(floor):
    floor.placed("ann", ASK, "0.55", 3)
    killed = floor.order("bob", BID, "0.55", 4, FOK, client_order_id="once")
    assert isinstance(killed, Refused)
    assert (killed.http, killed.code) == (409, "fill_or_kill_insufficient_resting_volume")
    assert floor.said(Traded) == []
    again = floor.order("bob", BID, "0.55", 3, FOK, client_order_id="once")
    assert isinstance(again, Refused)
    assert (again.http, again.code) == (409, "order_already_exists")
    assert floor.placed("bob", BID, "0.55", 3, FOK).fill_count == contracts(3)


def test_fok_does_not_count_own_orders(floor):
    floor.placed("bob", ASK, "0.54", 5)
    floor.placed("ann", ASK, "0.55", 3)
    assert isinstance(floor.order("bob", BID, "0.55", 3, FOK), Refused)
    assert floor.placed("bob", BID, "0.55", 3, FOK, stp=SelfTrade.MAKER).fill_count == contracts(3)


@pytest.mark.parametrize("price", ["0.55", "0.56"])
def test_post_only_is_refused_where_it_touches_or_crosses(floor, price):
    floor.placed("ann", ASK, "0.55", 3)
    refused = floor.order("bob", BID, price, 1, post_only=True)
    assert isinstance(refused, Refused)
    assert (refused.http, refused.code, refused.details) == (400, "invalid_order", "post only cross")
    assert floor.placed("bob", BID, "0.54", 1, post_only=True).remaining == contracts(1)


def test_post_only_can_be_accepted_and_cancelled_instead(make_floor):
    floor = make_floor(dialect=Dialect(post_only_cross_is_accepted=True))
    floor.placed("ann", ASK, "0.55", 3)
    placed = floor.placed("bob", BID, "0.55", 1, post_only=True)
    assert (placed.fill_count, placed.remaining) == (0, 0)
    assert floor.said(OrderChanged)[-1].reason is Reason.POST_ONLY


def test_taker_at_cross_stops_at_the_first_own_order_and_keeps_earlier_fills(floor):
    floor.placed("ann", ASK, "0.50", 2)
    own = floor.placed("bob", ASK, "0.51", 2)
    floor.placed("ann", ASK, "0.52", 2)
    placed = floor.placed("bob", BID, "0.55", 10)
    assert (placed.fill_count, placed.remaining) == (contracts(2), 0)
    assert (placed.order.status, placed.order.reason) == (OrderStatus.CANCELED, Reason.SELF_TRADE)
    assert own.order.remaining == contracts(2)


def test_maker_mode_cancels_own_resting_order_and_goes_on(floor):
    own = floor.placed("bob", ASK, "0.51", 2)
    floor.placed("ann", ASK, "0.52", 2)
    placed = floor.placed("bob", BID, "0.55", 2, stp=SelfTrade.MAKER)
    assert placed.fill_count == contracts(2)
    assert (own.order.status, own.order.reason) == (OrderStatus.CANCELED, Reason.SELF_TRADE)


def test_client_order_ids_are_used_once_for_ever_by_account(floor):
    placed = floor.placed("ann", BID, "0.40", 1, client_order_id="a")
    floor.exchange.cancel("ann", placed.order_id)
    again = floor.order("ann", BID, "0.40", 1, client_order_id="a")
    assert isinstance(again, Refused)
    assert again.code == "order_already_exists"
    floor.placed("bob", BID, "0.40", 1, client_order_id="a")


@pytest.mark.parametrize(
    ("kwargs", "code"),
    [
        ({"price": "0.405"}, "invalid_price"),
        ({"price": "0"}, "invalid_price"),
        ({"price": "1"}, "invalid_price"),
        ({"count": "0"}, "invalid_order"),
        ({"count": "0.005"}, "invalid_order"),
        ({"ticker": "KXNOWHERE"}, "market_not_found"),
        ({"reduce_only": True}, "invalid_order"),
        ({"tif": FOK, "reduce_only": True}, "invalid_order"),
        ({"tif": IOC, "post_only": True}, "invalid_order"),
        ({"tif": IOC, "expiration_ms": 2_000_000_000_000}, "invalid_order"),
        ({"expiration_ms": 1_000}, "invalid_order"),
        ({"count": "2600"}, "insufficient_balance"),
    ],
)
def test_malformed_and_unpayable_orders_are_refused_by_name(floor, kwargs, code):
    given = {"price": "0.40", "count": "1", "tif": GTC} | kwargs
    refused = floor.order("ann", BID, given.pop("price"), given.pop("count"), given.pop("tif"), **given)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert floor.said(BookChanged) == []


def test_reduce_only_is_capped_at_the_position_and_never_flips_it(floor):
    floor.placed("ann", BID, "0.50", 8)
    floor.placed("bob", ASK, "0.50", 8)
    floor.placed("cyd", BID, "0.45", 50)
    placed = floor.placed("ann", ASK, "0.40", 30, IOC, reduce_only=True)
    assert placed.fill_count == contracts(8)
    assert (placed.order.status, placed.order.reason) == (OrderStatus.CANCELED, Reason.REDUCE_ONLY)
    assert floor.position("ann") == 0
    assert floor.placed("ann", ASK, "0.40", 1, IOC, reduce_only=True).fill_count == 0
    covered = floor.placed("bob", BID, "0.60", 99, IOC, reduce_only=True)
    assert floor.position("bob") == -contracts(8) + covered.fill_count <= 0


def test_cancel_frees_the_order_once(floor):
    placed = floor.placed("ann", BID, "0.40", 5)
    other = floor.exchange.cancel("bob", placed.order_id)
    assert isinstance(other, Refused)
    done = floor.exchange.cancel("ann", placed.order_id)
    assert done.reduced_by == contracts(5)
    again = floor.exchange.cancel("ann", placed.order_id)
    assert isinstance(again, Refused)
    assert again.http == 404
    assert floor.exchange.account("ann").available == floor.cash("ann")


def test_cancel_all_spares_other_markets_and_accounts(floor):
    floor.placed("ann", BID, "0.40", 5)
    floor.placed("ann", BID, "0.30", 5, ticker="KXHIGHNY-26NOV23-T50")
    floor.placed("bob", BID, "0.40", 5)
    assert floor.exchange.cancel_all("ann", "KXHIGHNY-26NOV23-T50") == 1
    assert floor.exchange.cancel_all("ann") == 1
    assert floor.bids() == [(4000, contracts(5))]


def test_queue_position_counts_better_prices_and_older_orders(floor):
    floor.placed("ann", BID, "0.41", 4)
    floor.placed("bob", BID, "0.40", 3)
    mine = floor.placed("cyd", BID, "0.40", 9)
    assert floor.exchange.book(mine.order.ticker).ahead_of(mine.order) == contracts(7)
    assert floor.exchange.book(mine.order.ticker).orders_of("cyd") == [mine.order]


def test_a_trade_is_told_as_delta_fills_order_and_print_under_one_clock(floor):
    resting = floor.placed("ann", BID, "0.40", 5, client_order_id="rest")
    floor.events.clear()
    floor.placed("bob", ASK, "0.40", 2, client_order_id="take")
    delta = floor.said(BookChanged)[0]
    assert (delta.side, delta.price, delta.delta) == (BID, Price(4000), -contracts(2))
    assert (delta.cause_account, delta.cause_client_order_id) == ("bob", "take")
    fills = {f.account: f.fill for f in floor.said(Filled)}
    assert (fills["ann"].is_taker, fills["bob"].is_taker) == (False, True)
    assert fills["ann"].trade_id == fills["bob"].trade_id == floor.said(Traded)[0].trade_id
    assert (fills["ann"].post_position, fills["bob"].post_position) == (contracts(2), -contracts(2))
    assert resting.order.filled == contracts(2)


def test_a_paused_market_refuses_orders_and_reactivation_empties_its_book(floor):
    leaving = floor.placed("ann", BID, "0.40", 5, cancel_on_pause=True)
    staying = floor.placed("ann", BID, "0.39", 5)
    floor.exchange.pause_market(leaving.order.ticker)
    assert (leaving.order.reason, staying.order.status) == (Reason.HALT, OrderStatus.RESTING)
    refused = floor.order("bob", ASK, "0.39", 1)
    assert isinstance(refused, Refused)
    floor.exchange.resume_market(leaving.order.ticker)
    assert staying.order.status is OrderStatus.CANCELED
    assert floor.placed("bob", ASK, "0.39", 1).remaining == contracts(1)


def test_no_trading_refuses_new_orders_but_not_cancels(floor):
    staying = floor.placed("ann", BID, "0.40", 5)
    leaving = floor.placed("ann", BID, "0.41", 5, cancel_on_pause=True)
    floor.exchange.set_trading(False)
    assert floor.order("bob", ASK, "0.39", 1).code == "TRADING_PAUSED"
    assert leaving.order.status is OrderStatus.CANCELED
    assert floor.exchange.cancel("ann", staying.order_id).reduced_by == contracts(5)
