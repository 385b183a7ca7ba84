"""Markets that delay takers: what can be seen of an order that waits, and every end it can have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.units import parse_money
from core.sim.polymarket.contracts import Fee
from core.sim.polymarket.delays import Delays
from core.sim.polymarket.events import OrderChanged, OrderEvent
from core.sim.polymarket.orders import Cause, OrderStatus, OrderType

BUY_52 = ("BUY", 5_200_000, 10_000_000)


@pytest.fixture
def delaying(make_pit: Any) -> Any:
    pit = make_pit(delay_s=3)
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "10")
    return pit


@pytest.mark.parametrize("unseen", [False, True])
def test_an_order_that_waits_is_shown_or_not_and_matches_either_way(
    delaying: Any, make_member: Any, unseen: bool
) -> None:
    delaying.exchange.delays = Delays(unseen=unseen)
    ann = make_member(delaying)
    answer = ann.post(*BUY_52)
    [order] = delaying.exchange.open_orders(ann.key.key)
    path = f"/data/order/{order.order_id}"
    if unseen:
        assert answer.status == 400
        assert json.loads(answer.body)["error"] == "order match delayed due to market conditions"
        assert ann.call("GET", path).status == 404 and ann.get("/data/orders")["data"] == []
    else:
        assert json.loads(answer.body)["status"] == "delayed"
        assert ann.get(path)["status"] == ann.get("/data/orders")["data"][0]["status"] == "DELAYED"
    delaying.later(3)
    assert ann.get(path)["status"] == "MATCHED"


def test_what_is_thrown_out_has_matched_nothing_and_keeps_nothing_aside(delaying: Any) -> None:
    delaying.exchange.delays = Delays(invalid_share=1.0)
    taker = delaying.placed("ann", "BUY", "0.52", "10").order
    assert taker.reserved
    delaying.later(3)
    assert (taker.status, taker.cause, taker.matched, taker.reserved) == (
        OrderStatus.INVALID,
        Cause.INVALID,
        0,
        0,
    )
    assert delaying.events[-1] == OrderChanged(taker, OrderEvent.CANCELLATION)
    assert delaying.asks() == [(5200, 10_000_000)]


def test_about_so_many_are_thrown_out_and_each_one_always_or_never(delaying: Any) -> None:
    delays, drawn = Delays(invalid_share=0.3), []
    for _ in range(200):
        order = delaying.placed("ann", "BUY", "0.10", "10").order
        drawn.append(delays.throws_out(order))
        assert delays.throws_out(order) is drawn[-1]
        assert not Delays().throws_out(order)
    assert 40 < sum(drawn) < 80


def test_an_order_whose_allowance_is_gone_when_its_time_comes_is_not_paid(delaying: Any) -> None:
    taker = delaying.placed("ann", "BUY", "0.52", "10").order
    allowances = delaying.wallet("ann").allowances
    allowances.update(dict.fromkeys(allowances, 0))
    delaying.later(3)
    assert (taker.status, taker.cause) == (OrderStatus.CANCELED, Cause.BALANCE)


def test_an_order_that_finds_nothing_any_more_rests_or_is_killed(delaying: Any) -> None:
    [offer] = delaying.exchange.open_orders("bob")
    limit = delaying.placed("ann", "BUY", "0.52", "10").order
    at_once = delaying.placed("ann", "BUY", "0.52", "10", kind=OrderType.FAK, spend="5.2").order
    delaying.exchange.cancel("bob", offer.order_id)
    delaying.later(3)
    assert (limit.status, at_once.cause) == (OrderStatus.LIVE, Cause.FAK)
    assert delaying.bids() == [(5200, 10_000_000)]


def test_another_fee_is_charged_from_now_on(pit: Any) -> None:
    pit.split("bob", "20")
    pit.placed("bob", "SELL", "0.50", "20")
    first = pit.placed("ann", "BUY", "0.50", "10").trades
    pit.exchange.charge(pit.plain.condition_id, Fee("weather", 1_000))
    second = pit.placed("ann", "BUY", "0.50", "10").trades
    fees = [pit.exchange.trades[trades[0]].fee for trades in (first, second)]
    assert fees == [parse_money("0.125"), parse_money("0.25")]
