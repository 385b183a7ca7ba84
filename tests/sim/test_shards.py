"""Shards: whose cash an order sees, how money moves between them, what pauses where."""

from __future__ import annotations

import pytest

from core.domain.units import contracts, parse_money
from core.sim import shards
from core.sim.admission import INSUFFICIENT, UNKNOWN_USER
from core.sim.contracts import EventSpec, MarketSpec
from core.sim.dialect import Dialect
from core.sim.orders import BookSide, OrderStatus, Placed, Reason, Refused
from core.sim.transfers import DUPLICATE, PAUSED, UNKNOWN, Allocation, Reservation, Transfer

T = "KXHIGHNY-26NOV23-B48.5"
CRYPTO = "KXBTC-1"
BID, ASK = BookSide.BID, BookSide.ASK


@pytest.fixture
def two(floor):
    """The floor with a market on shard 2."""
    start = floor.clock.ms
    spec = MarketSpec(
        CRYPTO, "KXBTC", "KXHIGHNY", "t", "y", "less", start, start + 86_400_000, exchange_index=2
    )
    floor.exchange.list_event(EventSpec("KXBTC", "KXHIGHNY", "t", "s", (spec,), exchange_index=2))
    return floor


def money(account, index):
    return account.purse(index).available


def test_an_order_sees_the_cash_of_its_shard_alone(two):
    ann = two.exchange.account("ann")
    assert two.order("ann", BID, "0.50", 1, ticker=CRYPTO) == UNKNOWN_USER
    two.exchange.deposit("ann", parse_money("5"), 2)
    assert two.order("ann", BID, "0.50", 11, ticker=CRYPTO) == INSUFFICIENT
    resting = two.placed("ann", BID, "0.50", 9, ticker=CRYPTO)
    assert (money(ann, 0), money(ann, 2)) == (parse_money("1000"), parse_money("0.50"))
    two.exchange.cancel("ann", resting.order_id)
    assert ann.available == ann.cash == parse_money("1005")


def test_an_unfunded_shard_may_say_insufficient_instead(two):
    two.exchange.dialect = Dialect(unfunded_shard_is_unknown_user=False)
    assert two.order("ann", BID, "0.50", 1, ticker=CRYPTO) == INSUFFICIENT


def test_trades_and_payouts_stay_on_their_shard(two):
    for name in ("ann", "bob"):
        two.exchange.deposit(name, parse_money("100"), 2)
    two.placed("bob", ASK, "0.40", 10, ticker=CRYPTO)
    two.placed("ann", BID, "0.40", 10, ticker=CRYPTO)
    ann, bob = two.exchange.account("ann"), two.exchange.account("bob")
    assert (money(ann, 2), money(bob, 2)) == (parse_money("95.832"), parse_money("94"))
    two.exchange.determine(CRYPTO, "yes")
    two.later(3_600)
    assert (money(ann, 2), money(ann, 0)) == (parse_money("105.832"), parse_money("1000"))


def test_a_transfer_leaves_at_once_and_arrives_later(two):
    ann, transfers = two.exchange.account("ann"), two.exchange.transfers
    moved = transfers.move(ann, 0, ann, 2, parse_money("40"), "id")
    assert isinstance(moved, Transfer)
    assert (money(ann, 0), transfers.in_flight) == (parse_money("960"), parse_money("40"))
    assert not moved.arrived
    two.later(0.7)
    assert 2 not in ann.purses
    two.later(0.1)
    assert (money(ann, 2), transfers.in_flight, moved.arrived) == (parse_money("40"), 0, True)
    assert transfers.move(ann, 0, ann, 2, parse_money("40"), "id") == DUPLICATE
    assert transfers.move(ann, 0, ann, 2, parse_money("961")) == INSUFFICIENT
    assert transfers.move(ann, 1, ann, 2, parse_money("1")) == INSUFFICIENT
    assert transfers.move(ann, 0, ann, 9, parse_money("1")) == UNKNOWN
    two.exchange.shards[2].transfers_active = False
    assert transfers.move(ann, 0, ann, 2, parse_money("1")) == PAUSED


def test_cash_behind_resting_orders_cannot_leave(two):
    ann = two.exchange.account("ann")
    two.placed("ann", BID, "0.50", 1_000)
    assert two.exchange.transfers.move(ann, 0, ann, 2, parse_money("500.01")) == INSUFFICIENT
    assert isinstance(two.exchange.transfers.move(ann, 0, ann, 2, parse_money("500")), Transfer)


@pytest.mark.parametrize(
    ("reservation", "at_home", "resting"),
    [(Reservation.SUM, "775.0000", 2), (Reservation.MAX, "750.0000", 2), (Reservation.NONE, "500.0000", 1)],
)
def test_an_allocation_shares_out_what_resting_orders_do_not_need(two, reservation, at_home, resting):
    ann = two.exchange.account("ann")
    two.placed("ann", BID, "0.50", 1_000)
    two.placed("ann", BID, "0.10", 500, ticker="KXHIGHNY-26NOV23-T50")
    two.exchange.transfers.allocations["ann"] = Allocation({0: 50, 2: 50}, reservation)
    two.later(10)
    assert ann.purse(0).cash == parse_money(at_home)
    assert ann.cash == parse_money("1000")
    assert money(ann, 0) >= 0
    assert len(ann.working) == resting


def test_orders_that_lose_their_cover_to_a_rebalance_are_margin_cancelled(two):
    ann = two.exchange.account("ann")
    order = two.placed("ann", BID, "0.50", 1_500).order
    two.exchange.transfers.allocations["ann"] = Allocation({2: 100}, Reservation.NONE)
    two.later(10)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, Reason.MARGIN)
    assert (ann.purse(0).cash, ann.purse(2).cash) == (0, parse_money("1000"))


def test_a_pause_is_of_one_shard(two):
    two.exchange.deposit("ann", parse_money("100"), 2)
    leaving = two.placed("ann", BID, "0.50", 1, ticker=CRYPTO, cancel_on_pause=True).order
    staying = two.placed("ann", BID, "0.50", 1, cancel_on_pause=True).order
    two.exchange.set_trading(False, 2)
    assert (leaving.status, leaving.reason) == (OrderStatus.CANCELED, Reason.HALT)
    assert staying.status is OrderStatus.RESTING
    assert two.order("ann", BID, "0.50", 1, ticker=CRYPTO) == shards.TRADING_PAUSED
    assert isinstance(two.order("ann", BID, "0.50", 1), Placed)
    assert not two.exchange.trading_active


def test_maintenance_stops_everything_cancels_included_and_ends(two):
    order = two.placed("ann", BID, "0.50", 1)
    now_ms = two.clock.ms
    two.exchange.maintenance.windows.append((now_ms + 1_000, now_ms + 2_000))
    two.later(1)
    assert two.exchange.cancel("ann", order.order_id) == shards.UNAVAILABLE
    assert two.order("ann", BID, "0.50", 1) == shards.UNAVAILABLE
    two.later(1)
    assert not isinstance(two.exchange.cancel("ann", order.order_id), Refused)


def test_self_trade_prevention_and_client_ids_span_subaccounts(two):
    sub = two.exchange.open_subaccount("ann")
    assert (sub.number, sub.member, two.exchange.subaccount("ann", 1)) == (1, "ann", sub)
    ann = two.exchange.account("ann")
    two.exchange.transfers.move(ann, 0, sub, 0, parse_money("100"))
    assert (money(sub, 0), money(ann, 0)) == (parse_money("100"), parse_money("900"))
    two.placed("ann", ASK, "0.50", 5, client_order_id="a")
    met = two.placed(sub.name, BID, "0.50", 5)
    assert (met.fill_count, met.order.reason) == (0, Reason.SELF_TRADE)
    again = two.order(sub.name, BID, "0.10", 5, client_order_id="a")
    assert isinstance(again, Refused)
    assert again.code == "order_already_exists"
    assert ann.position(T) == sub.position(T) == 0
    assert two.asks() == [(5000, contracts(5))]


def test_cancelling_everything_leaves_a_shard_in_maintenance_alone(two):
    two.exchange.deposit("ann", parse_money("100"), 2)
    staying = two.placed("ann", BID, "0.50", 1, ticker=CRYPTO).order
    leaving = two.placed("ann", BID, "0.50", 1).order
    shards.set_exchange(two.exchange, False, 2)
    assert two.exchange.cancel_all("ann") == 1
    assert (staying.status, leaving.status) == (OrderStatus.RESTING, OrderStatus.CANCELED)
