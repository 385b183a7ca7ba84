"""Changes to a resting order: amend (price, size, expiry) and decrease.

Kalshi API: amend order, decrease order. ``count`` of an amendment is the filled plus the wanted
resting quantity. Less size or another expiry keeps the place in the queue; a new price or more
size goes to the back and may trade.
"""

from __future__ import annotations

import msgspec

from core.domain.units import Price, Quantity
from core.sim import trading
from core.sim.admission import COUNT_STEP, DUPLICATE, INSUFFICIENT, not_trading
from core.sim.contracts import on_grid
from core.sim.events import OrderChanged
from core.sim.exchange import Exchange
from core.sim.orders import BookSide, Order, Placed, Reason, Refused


class Amendment(msgspec.Struct, frozen=True):
    """What a resting order should become. ``expiration_ms``: None keeps it, 0 removes it."""

    ticker: str
    side: BookSide
    price: Price
    count: Quantity
    client_order_id: str | None = None
    expiration_ms: int | None = None


def amend(exchange: Exchange, account: str, order_id: str, change: Amendment) -> Placed | Refused:
    """Apply an amendment; the answer's fills and averages are those it caused."""
    order = exchange.resting_order(account, order_id)
    if isinstance(order, Refused):
        return order
    refused = _unamendable(exchange, order, change)
    if refused is not None:
        return refused
    wanted = Quantity(change.count - order.filled)
    requeue = change.price != order.price or wanted > order.remaining
    if requeue:
        # It may trade like a new order, so it must be free to.
        if (paused := not_trading(exchange, exchange.markets[order.ticker])) is not None:
            return paused
        probe = msgspec.structs.replace(order, price=change.price, remaining=wanted)
        if not exchange.affordable(probe, order):
            return INSUFFICIENT
        if _meets_own(exchange, order, change.price):
            return Refused("SELF_CROSS_ATTEMPT", "amendment would cross an order of your own")
    before = order.progress
    _rename(exchange, order, change)
    exchange.markets[order.ticker].clock += 1
    order.initial = change.count
    if wanted == 0:
        exchange.withdraw(order, Reason.AMEND)
    elif requeue:
        exchange.lift(order)
        order.price, order.remaining = change.price, wanted
        trading.settle_incoming(exchange, order, trading.match(exchange, order), Reason.AMEND)
    else:
        _shrink(exchange, order, Quantity(order.remaining - wanted), Reason.AMEND)
        if change.expiration_ms is not None:
            exchange.watch_expiry(order)
    return trading.placed(order, before)


def decrease(exchange: Exchange, account: str, order_id: str, to: Quantity) -> Order | Refused:
    """Reduce a resting order to ``to`` contracts, keeping its place; zero cancels it."""
    order = exchange.resting_order(account, order_id)
    if isinstance(order, Refused):
        return order
    if to < 0 or to % COUNT_STEP or to >= order.remaining:
        return Refused("invalid_order", "invalid order", "the new count must be below the resting count")
    exchange.markets[order.ticker].clock += 1
    if to == 0:
        exchange.withdraw(order, Reason.DECREASE)
    else:
        _shrink(exchange, order, Quantity(order.remaining - to), Reason.DECREASE)
    return order


def _unamendable(exchange: Exchange, order: Order, change: Amendment) -> Refused | None:
    if change.ticker != order.ticker or change.side is not order.side:
        return Refused("invalid_order", "invalid order", "ticker and side of an order cannot change")
    if not on_grid(change.price, exchange.markets[order.ticker].spec.price_ranges):
        return Refused("invalid_price", "invalid price")
    if change.count % COUNT_STEP or change.count < order.filled or change.count <= 0:
        return Refused("INVALID_AMEND_QTY_FOR_ORDER", "count is below what has already filled")
    if change.expiration_ms and change.expiration_ms <= exchange.clock.wall_ms():
        return Refused("invalid_order", "invalid order", "expiration_time is in the past")
    renamed = change.client_order_id
    if renamed and renamed != order.client_order_id and renamed in exchange.account(order.account).client_ids:
        return DUPLICATE
    return None


def _meets_own(exchange: Exchange, order: Order, price: Price) -> bool:
    opposite = order.side.opposite
    return any(
        other.side is opposite and order.side.sign * (price - other.price) >= 0
        for other in exchange.account(order.account).resting(order.ticker)
    )


def _rename(exchange: Exchange, order: Order, change: Amendment) -> None:
    if change.client_order_id:
        order.client_order_id = change.client_order_id
        exchange.account(order.account).client_ids.add(change.client_order_id)
    if change.expiration_ms is not None:
        order.expiration_ms = change.expiration_ms or None


def _shrink(exchange: Exchange, order: Order, count: Quantity, reason: Reason) -> None:
    if count:
        exchange.reduce(order, count)
    order.reason, order.updated_ms = reason, exchange.clock.wall_ms()
    exchange.emit(OrderChanged(order.account, order, reason))
