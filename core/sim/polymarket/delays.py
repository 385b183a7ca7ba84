"""Marketable orders that wait before they match, as on sports markets, and what becomes of them.

Polymarket docs: order lifecycle, error codes. Whether an order can be seen while it waits is not documented,
nor what its answer is then: both ways are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.sim.polymarket import trading
from core.sim.polymarket.crossing import reach
from core.sim.polymarket.events import OrderChanged, OrderEvent
from core.sim.polymarket.orders import Cause, Order, OrderStatus, OrderType

if TYPE_CHECKING:
    from core.sim.polymarket.exchange import Exchange

_HASH_DIGITS = 8


class Delays(msgspec.Struct, frozen=True):
    """How an exchange treats the orders it makes wait."""

    unseen: bool = False
    """Whether their answer says nothing certain, and nothing shows of them until their time has come."""
    invalid_share: float = 0.0
    """Of those whose time has come, how many it then finds it should not have taken: 0 to 1."""

    def hides(self, order: Order) -> bool:
        return self.unseen and order.status is OrderStatus.DELAYED

    def throws_out(self, order: Order) -> bool:
        """By the order's hash, which is as good as chance and takes from no stream of it."""
        return int(order.order_id[-_HASH_DIGITS:], 16) < int(self.invalid_share * 16**_HASH_DIGITS)


def release(exchange: Exchange, order: Order) -> None:
    """Its time has come: it matches what is there now, and rests with the remainder."""
    if order.status is not OrderStatus.DELAYED:
        return
    wallet, market = exchange.wallets[order.wallet], exchange.markets[order.condition_id]
    wallet.open.pop(order.order_id)
    wallet.reserve(order, 0)
    met = reach(exchange.books[order.condition_id], order)
    cause = None
    if exchange.delays.throws_out(order):
        cause = Cause.INVALID
    elif not market.tradeable:
        cause = Cause.RESOLVED
    elif trading.unpaid(exchange, market, order, met):
        cause = Cause.BALANCE
    if cause is not None:
        exchange.finish(order, cause.status, cause)
        exchange.emit(OrderChanged(order, OrderEvent.CANCELLATION))
    elif (order.type is OrderType.FOK and not met.whole) or (order.type is OrderType.FAK and not met.legs):
        trading.kill(exchange, order)
    else:
        trading.enter(exchange, order, met, was_held=False)
