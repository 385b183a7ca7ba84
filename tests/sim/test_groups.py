"""Order groups: what they count, when they trigger, and what that does to orders."""

from __future__ import annotations

import pytest

from core.domain.units import contracts, parse_money, parse_quantity
from core.sim import groups
from core.sim.amending import Amendment, amend
from core.sim.contracts import EventSpec, MarketSpec
from core.sim.events import GroupChanged, OrderChanged
from core.sim.groups import Group
from core.sim.orders import BookSide, OrderStatus, Placed, Reason, Refused, TimeInForce

TRIGGERED = Refused("EXCEEDED_ORDER_GROUP_RISK_LIMIT", "order group is triggered")
T = "KXHIGHNY-26NOV23-B48.5"
U = "KXHIGHNY-26NOV23-T50"
BID, ASK = BookSide.BID, BookSide.ASK


@pytest.fixture
def group(floor):
    """Ann's group of at most ten contracts in 15 seconds."""
    made = groups.create(floor.exchange, "ann", contracts(10), 0)
    assert isinstance(made, Group)
    return made


def kinds(floor):
    return [event.kind for event in floor.said(GroupChanged)]


def test_a_trigger_takes_every_order_of_the_group_and_no_other(floor, group):
    one = floor.placed("ann", BID, "0.30", 5, group_id=group.group_id)
    two = floor.placed("ann", BID, "0.20", 5, ticker=U, group_id=group.group_id)
    other = floor.placed("ann", BID, "0.10", 5)
    foreign = floor.placed("bob", BID, "0.10", 5)
    assert groups.members(floor.exchange, group) == [one.order, two.order]
    groups.trigger(floor.exchange, group)
    groups.trigger(floor.exchange, group)
    assert [p.order.status for p in (one, two, other, foreign)] == [
        OrderStatus.CANCELED,
        OrderStatus.CANCELED,
        OrderStatus.RESTING,
        OrderStatus.RESTING,
    ]
    assert [event.reason for event in floor.said(OrderChanged)][-2:] == [Reason.GROUP] * 2
    assert kinds(floor) == ["created", "triggered"]


def test_a_triggered_group_refuses_orders_until_it_is_reset(floor, group):
    groups.trigger(floor.exchange, group)
    refused = floor.order("ann", BID, "0.30", 5, client_order_id="a", group_id=group.group_id)
    assert refused == TRIGGERED
    groups.reset(floor.exchange, group)
    again = floor.order("ann", BID, "0.30", 5, client_order_id="a", group_id=group.group_id)
    assert isinstance(again, Placed)
    assert kinds(floor) == ["created", "triggered", "reset"]


def test_contracts_of_makers_and_takers_count_over_fifteen_seconds(floor, group):
    name = group.group_id
    maker = floor.placed("ann", BID, "0.30", 40, group_id=name)
    floor.placed("bob", ASK, "0.30", 4)
    floor.later(10)
    floor.placed("bob", ASK, "0.40", 5)
    floor.placed("ann", BID, "0.40", 5, TimeInForce.IOC, group_id=name)
    assert (group.count(floor.clock.ms), group.triggered) == (contracts(9), False)
    floor.later(5)
    # The first four are fifteen seconds old and count no longer.
    floor.placed("bob", ASK, "0.30", "4.99")
    assert (group.triggered, maker.order.status) == (False, OrderStatus.RESTING)
    floor.placed("bob", ASK, "0.30", "0.01")
    assert (group.triggered, maker.order.status) == (True, OrderStatus.CANCELED)
    assert maker.order.filled == contracts(9)
    assert floor.order("ann", BID, "0.30", 1, group_id=name) == TRIGGERED


def test_an_incoming_order_that_reaches_the_limit_stops_there(floor, group):
    for price in ("0.30", "0.31", "0.32"):
        floor.placed("bob", ASK, price, 6)
    sister = floor.placed("ann", BID, "0.10", 5, group_id=group.group_id)
    taker = floor.placed("ann", BID, "0.40", 30, group_id=group.group_id)
    assert (taker.fill_count, taker.remaining, taker.order.status) == (
        contracts(12),
        0,
        OrderStatus.CANCELED,
    )
    assert sister.order.status is OrderStatus.CANCELED
    assert floor.asks() == [(3200, contracts(6))]


def test_a_fill_or_kill_order_is_filled_whole_and_triggers_after(floor, group):
    for price in ("0.30", "0.31", "0.32"):
        floor.placed("bob", ASK, price, 6)
    taker = floor.placed("ann", BID, "0.40", 18, TimeInForce.FOK, group_id=group.group_id)
    assert (taker.fill_count, taker.order.status, group.triggered) == (
        contracts(18),
        OrderStatus.EXECUTED,
        True,
    )


def test_an_amendment_that_trades_counts_too(floor, group):
    floor.placed("bob", ASK, "0.40", 10)
    order = floor.placed("ann", BID, "0.30", 20, group_id=group.group_id).order
    amend(floor.exchange, "ann", order.order_id, Amendment(T, BID, 4000, contracts(20)))
    assert (order.status, order.filled, group.triggered) == (OrderStatus.CANCELED, contracts(10), True)
    assert floor.bids() == []


def test_a_limit_already_reached_triggers_when_it_is_set(floor, group):
    resting = floor.placed("ann", BID, "0.30", 9, group_id=group.group_id)
    floor.placed("bob", ASK, "0.30", 4)
    groups.set_limit(floor.exchange, group, parse_quantity("4.01"))
    assert not group.triggered
    groups.set_limit(floor.exchange, group, contracts(4))
    assert (group.triggered, resting.order.status) == (True, OrderStatus.CANCELED)
    groups.reset(floor.exchange, group)
    assert group.count(floor.clock.ms) == 0
    assert kinds(floor) == ["created", "limit_updated", "limit_updated", "triggered", "reset"]


def test_a_deleted_group_leaves_nothing_behind(floor, group):
    resting = floor.placed("ann", BID, "0.30", 9, group_id=group.group_id)
    groups.delete(floor.exchange, group)
    assert resting.order.status is OrderStatus.CANCELED
    assert groups.find(floor.exchange, "ann", group.group_id, 0) == groups.UNKNOWN_GROUP
    assert floor.order("ann", BID, "0.30", 9, group_id=group.group_id) == groups.UNKNOWN_GROUP
    assert kinds(floor) == ["created", "deleted"]


def test_a_group_belongs_to_one_account_and_one_shard(floor, group):
    start = floor.clock.ms
    spec = MarketSpec("C-1", "C", "KXHIGHNY", "t", "y", "less", start, start + 9_000, exchange_index=2)
    floor.exchange.deposit("ann", parse_money("10"), 2)
    floor.exchange.list_event(EventSpec("C", "KXHIGHNY", "t", "s", (spec,), exchange_index=2))
    assert floor.order("bob", BID, "0.30", 1, group_id=group.group_id) == groups.UNKNOWN_GROUP
    assert floor.order("ann", BID, "0.30", 1, ticker="C-1", group_id=group.group_id) == groups.UNKNOWN_GROUP
    assert isinstance(groups.find(floor.exchange, "ann", group.group_id, 2), Refused)


def test_an_account_has_a_bounded_number_of_groups(floor, monkeypatch):
    monkeypatch.setattr(groups, "GROUPS_MAX", 2)
    made = [groups.create(floor.exchange, "ann", contracts(1), 0) for _ in range(3)]
    assert made[2] == groups.TOO_MANY
