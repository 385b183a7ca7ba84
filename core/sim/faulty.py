"""A simulated exchange behind a faulty network: what ``pmconsole sim --faults SEED`` puts in front of it.

The seed draws the same faults of messages and connections as in the virtual world's campaign, so a
seed that fails there can be watched in the console; here they never heal. What the exchange's
world does by itself is left to the scenario.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clock
from core.domain.units import Quantity
from core.sim.exchange import Exchange
from core.sim.fault_kinds import RULES, Point
from core.sim.orders import Order, OrderRequest, TimeInForce
from core.sim.plan import RULED, Plan, Swarm, swarm
from core.sim.proxy import Proxy

NETWORK = tuple(kind for kind in RULED if any(r.kind is kind and r.point is not Point.WORLD for r in RULES))
"""Kinds that strike messages and connections."""


def network_faults(seed: int) -> Swarm:
    return swarm(seed, among=NETWORK)


def told(faults: Swarm) -> str:
    """One line for whoever started this."""
    kinds = "; ".join(f"{habit.kind.name} {habit.kind.value}" for habit in faults.habits)
    return f"network faults of seed {faults.seed}: {kinds or 'none'}"


def faulty_network(
    faults: Swarm, target: tuple[str, int], clock: Clock, exchange: Exchange, account: str, others: str
) -> Proxy:
    """The proxy; where a fault lets the market trade with an order of ``account``, ``others`` take it."""
    return Proxy(Plan(faults), target, clock, _taker(exchange, account, others))


def _taker(exchange: Exchange, account: str, others: str) -> Callable[[str, bytes], None]:
    def take(path: str, body: bytes) -> None:
        named = _names(path, body)
        for order in list(exchange.account(account).working.values()):
            if order.order_id in named or order.client_order_id in named:
                _hit(exchange, order, others)

    return take


def _hit(exchange: Exchange, order: Order, others: str) -> None:
    """Trade with the whole of a resting order, and with what stands before it."""
    count = Quantity(exchange.book(order.ticker).ahead_of(order) + order.remaining)
    exchange.place(
        OrderRequest(others, order.ticker, order.side.opposite, order.price, count, TimeInForce.IOC)
    )


class _Named(msgspec.Struct, frozen=True):
    order_id: str = ""
    client_order_id: str = ""
    orders: tuple[_Named, ...] = ()


_named = msgspec.json.Decoder(_Named)


def _names(path: str, body: bytes) -> frozenset[str]:
    """Every id a request about orders names."""
    ids = {path.partition("?")[0].rsplit("/", 1)[-1]}
    try:
        asked = _named.decode(body)
    except msgspec.MsgspecError:
        return frozenset(ids)
    for entry in (asked, *asked.orders):
        ids |= {entry.order_id, entry.client_order_id}
    return frozenset(ids - {""})
