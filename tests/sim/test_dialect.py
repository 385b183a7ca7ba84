"""Open questions about the real venue: both answers to each, as the exchange behind the wire gives them."""

from __future__ import annotations

from random import Random
from typing import get_type_hints

import pytest

from core.domain.units import contracts, parse_money
from core.sim import groups
from core.sim.dialect import Dialect, GroupRefusal, ReduceOnlyFlat, ReduceOnlyMisuse, drawn
from core.sim.events import Filled
from core.sim.groups import Group
from core.sim.orders import BookSide, OrderStatus, Placed, Refused, TimeInForce
from core.sim.trading import FOK_KILLED, IOC_KILLED, NOTHING_TO_REDUCE

T = "KXHIGHNY-26NOV23-B48.5"
BID, ASK = BookSide.BID, BookSide.ASK
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


@pytest.fixture
def floor_that(make_floor):
    return lambda **answers: make_floor(dialect=Dialect(**answers))


def test_a_drawn_dialect_is_its_seeds_and_every_answer_comes_up():
    assert drawn(Random(7)) == drawn(Random(7))
    seen = {name: set() for name in get_type_hints(Dialect)}
    for seed in range(200):
        dialect = drawn(Random(seed))
        for name in seen:
            seen[name].add(getattr(dialect, name))
    for name, kind in get_type_hints(Dialect).items():
        numbers = {
            "clock_window_s": {5, 10, 29},
            "cancel_all_lasts_s": {0, 20, 60},
            "reads_lag_ms": {0, 400, 2_500},
        }
        wanted = numbers[name] if kind is int else {False, True} if kind is bool else set(kind)
        assert seen[name] == wanted, name


@pytest.mark.parametrize("refused", [False, True])
def test_an_ioc_that_finds_nothing(floor_that, refused):
    floor = floor_that(ioc_unfilled_is_refused=refused)
    answer = floor.order("ann", BID, "0.40", 5, IOC, client_order_id="a")
    if refused:
        assert answer == IOC_KILLED
    else:
        assert isinstance(answer, Placed)
        assert (answer.fill_count, answer.remaining) == (0, 0)
    again = floor.order("ann", BID, "0.40", 5, client_order_id="a")
    assert isinstance(again, Refused)
    assert again.code == "order_already_exists"
    floor.placed("bob", ASK, "0.40", 1)
    assert floor.placed("ann", BID, "0.40", 5, IOC).fill_count == contracts(1)
    assert floor.order("ann", BID, "0.40", 5, FOK) == FOK_KILLED


@pytest.mark.parametrize("flat", list(ReduceOnlyFlat))
def test_reduce_only_with_nothing_to_reduce(floor_that, flat):
    floor = floor_that(reduce_only_flat=flat)
    answer = floor.order("ann", ASK, "0.40", 5, IOC, reduce_only=True)
    if flat is ReduceOnlyFlat.REFUSED:
        assert answer == NOTHING_TO_REDUCE
    else:
        assert isinstance(answer, Placed)
        assert (answer.fill_count, answer.remaining, answer.order.status) == (0, 0, OrderStatus.CANCELED)


@pytest.mark.parametrize("misuse", list(ReduceOnlyMisuse))
def test_reduce_only_with_another_time_in_force(floor_that, misuse):
    answer = floor_that(reduce_only_misuse=misuse).order("ann", ASK, "0.40", 5, FOK, reduce_only=True)
    assert isinstance(answer, Refused)
    assert (answer.http, answer.code) == (400, misuse.value)


@pytest.mark.parametrize("refusal", list(GroupRefusal))
def test_an_order_into_a_triggered_group(floor_that, refusal):
    floor = floor_that(group_refusal=refusal)
    group = groups.create(floor.exchange, "ann", contracts(1), 0)
    assert isinstance(group, Group)
    groups.trigger(floor.exchange, group)
    answer = floor.order("ann", BID, "0.40", 5, group_id=group.group_id)
    assert isinstance(answer, Refused)
    assert (answer.http, answer.code) == refusal.value


@pytest.mark.parametrize("free", [False, True])
def test_the_client_id_of_an_order_that_executed(floor_that, free):
    """X17. One that was cancelled or killed is burnt either way."""
    floor = floor_that(executed_id_is_free=free)
    floor.placed("bob", ASK, "0.40", 5)
    for client_order_id, price in (("executed", "0.40"), ("cancelled", "0.30")):
        floor.placed("ann", BID, price, 5, client_order_id=client_order_id)
    floor.exchange.cancel_all("ann")
    again = [floor.order("ann", BID, "0.30", 5, client_order_id=of) for of in ("executed", "cancelled")]
    assert [isinstance(answer, Placed) for answer in again] == [free, False]


@pytest.mark.parametrize("two", [False, True])
def test_a_fill_that_crosses_zero(floor_that, two):
    floor = floor_that(zero_crossing_is_two_fills=two)
    floor.placed("bob", ASK, "0.40", 3)
    floor.placed("ann", BID, "0.40", 3)
    floor.placed("bob", BID, "0.50", 5)
    before, floor.events[:] = floor.cash("ann"), []
    sold = floor.placed("ann", ASK, "0.50", 5, IOC)
    fills = [event.fill for event in floor.said(Filled) if event.account == "ann"]
    counts = [(fill.count, fill.post_position) for fill in fills]
    assert counts == (
        [(contracts(3), 0), (contracts(2), -contracts(2))] if two else [(contracts(5), -contracts(2))]
    )
    assert len({fill.trade_id for fill in fills}) == len(fills)
    assert sold.fill_count == contracts(5)
    assert floor.cash("ann") - before == parse_money("0.50") - sum(fill.fee for fill in fills)
    assert floor.position("ann") == -contracts(2)


@pytest.mark.parametrize("all_bought", [False, True])
def test_costs_of_a_settlement(floor_that, all_bought):
    floor = floor_that(settlement_costs_are_of_all_bought=all_bought)
    floor.placed("bob", ASK, "0.40", 10)
    floor.placed("ann", BID, "0.40", 10)
    floor.placed("bob", BID, "0.50", 4)
    floor.placed("ann", ASK, "0.50", 4)
    floor.exchange.determine(T, "yes")
    floor.later(3_600)
    paid = floor.exchange.account("ann").settlements[0]
    assert (paid.yes_count, paid.revenue) == (contracts(6), parse_money("6"))
    assert paid.yes_cost == parse_money("4" if all_bought else "2.40")


@pytest.mark.parametrize(("closes", "traded"), [(False, "4"), (True, "6")])
def test_what_counts_as_traded(floor_that, closes, traded):
    floor = floor_that(traded_counts_closes=closes)
    floor.placed("bob", ASK, "0.40", 10)
    floor.placed("ann", BID, "0.40", 10)
    floor.placed("bob", BID, "0.50", 4)
    floor.placed("ann", ASK, "0.50", 4)
    assert floor.exchange.account("ann").holding(T).traded == parse_money(traded)


@pytest.mark.parametrize(("scaled", "fee"), [(True, "0.2188"), (False, "0.4375")])
def test_a_series_multiplier_and_its_maker_fee(make_floor, scaled, fee):
    floor = make_floor(
        fee_type="quadratic_with_maker_fees", multiplier=0.5, dialect=Dialect(maker_fee_is_scaled=scaled)
    )
    maker = floor.placed("ann", BID, "0.50", 100).order
    floor.placed("bob", ASK, "0.50", 100)
    assert maker.maker_fees == parse_money(fee)
