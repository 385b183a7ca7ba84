"""Another size of an order of ours, made by hand on the venue's page or from here, with the whole desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.domain.order import Life
from core.domain.units import Price, Quantity
from core.sim import amending
from core.sim.fates import Lost
from core.sim.fault_kinds import Matter, Point
from core.sim.orders import Order as VenueOrder
from core.sim.orders import OrderStatus
from tests.simulation.hands import TRADER
from tests.simulation.site import ACCOUNT
from tests.simulation.test_machine import OrderPath

RENEWED_S = 75


@pytest.fixture
def path() -> Iterator[OrderPath]:
    one = OrderPath()
    yield one
    one._end()


def rests(path: OrderPath) -> VenueOrder:
    """An order of ours that rests, of a size that can be halved."""
    for seed in range(50):
        path.place("rest", seed)
        for order in path.world.site.exchange.account(ACCOUNT).working.values():
            if order.remaining >= 4_000_000 and not order.filled:
                return order
    raise AssertionError("nothing rests")


def halve(path: OrderPath, order: VenueOrder) -> Quantity:
    half = Quantity(order.remaining // 20_000 * 10_000)
    path._do(lambda: amending.decrease(path.world.site.exchange, ACCOUNT, order.order_id, half))
    return half


def test_a_renewal_leaves_an_order_as_small_as_a_person_made_it(path: OrderPath) -> None:
    order = rests(path)
    ends = order.expiration_ms
    half = halve(path, order)
    assert path.world.in_order(0) is None, "what may still fill is known at once"
    path._pass(RENEWED_S)
    assert order.status is OrderStatus.RESTING and order.expiration_ms != ends, "it was renewed"
    assert order.remaining == half
    assert path.ledger.orders[order.client_order_id].leaves == half


@pytest.mark.parametrize("heard", [True, False], ids=["heard of", "not heard of"])
def test_cancelling_an_order_made_smaller_misses_no_fill(path: OrderPath, heard: bool) -> None:
    """The answer says how much was still open, and no message tells of the end."""
    order = rests(path)
    if not heard:
        path.plan.deal(Point.FRAME, Matter.PRIVATE, Lost())
    halve(path, order)
    path.plan.deal(Point.FRAME, Matter.PRIVATE, Lost())
    path._do(lambda: path.engine.desk.seats.cancel((order.client_order_id,), "test"), 40.0)
    ours = path.ledger.orders[order.client_order_id]
    assert (ours.life, ours.filled) == (Life.CANCELLED, 0)
    assert not path.engine.state.halts.standing


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "answer lost"])
def test_what_is_made_smaller_here_stays_so_through_its_renewals(path: OrderPath, answered: bool) -> None:
    order = rests(path)
    path._pass(3.0)  # its first renewal gives it time to be looked up
    ends, half = order.expiration_ms, Quantity(order.remaining // 20_000 * 10_000)
    if not answered:
        path.plan.deal(Point.ANSWER, Matter.AMEND, Lost())
        path.plan.deal(Point.FRAME, Matter.PRIVATE, Lost())
    path._do(lambda: path.engine.amend(order.client_order_id, Price(0), half, TRADER))
    assert order.remaining == half
    path._pass(RENEWED_S)
    assert order.status is OrderStatus.RESTING and order.expiration_ms != ends, "it was renewed"
    assert order.remaining == half and path.world.in_order(0) is None
    path.no_promise_is_broken()
