"""Position and P&L of one market, folded from fills: YES counts up, NO counts down.

Average cost; what a fill closes is realised at the difference, what it opens starts a new average
(a fill that crosses zero does both). Money is exact: the cost basis is carried as a sum, never as a
rounded average price.
"""

from __future__ import annotations

import msgspec

from core.domain.order import Fill
from core.domain.units import Money, Price, Quantity, complement


class Position(msgspec.Struct, frozen=True):
    """Net position of one market. ``cost`` is what the open contracts cost, fees apart, never negative."""

    net: Quantity = Quantity(0)
    """Signed: positive = YES, negative = NO."""
    cost: Money = Money(0)
    realised: Money = Money(0)
    """Closed P&L before fees, settlement included."""
    fees: Money = Money(0)

    @property
    def average(self) -> Price | None:
        """Average price paid in terms of the outcome held, rounded to the nearest unit, for display."""
        if self.net == 0:
            return None
        size = abs(self.net)
        return Price((self.cost * 10_000 + size // 2) // size)


def apply(position: Position, fill: Fill) -> Position:
    """Fold one fill. The caller guarantees that each trade id is applied once."""
    delta = fill.side.sign * fill.quantity
    held = position.net
    closing = min(abs(delta), abs(held)) if held * delta < 0 else 0
    opening = abs(delta) - closing
    cost, realised = int(position.cost), int(position.realised)
    if closing:
        exit_price = fill.price if held > 0 else complement(fill.price)
        released = cost * closing // abs(held)
        realised += exit_price * closing // 10_000 - released
        cost -= released
    if opening:
        entry_price = fill.price if delta > 0 else complement(fill.price)
        cost += -(-entry_price * opening // 10_000)
    return Position(
        net=Quantity(held + delta),
        cost=Money(cost),
        realised=Money(realised),
        fees=Money(position.fees + fill.fee),
    )


def charge(position: Position, more: int) -> Position:
    """A fill was charged ``more`` than counted, negative for less."""
    return msgspec.structs.replace(position, fees=Money(position.fees + more))


def adjust(position: Position, net: Quantity, price: Price) -> Position:
    """The venue's count instead of ours, without a trade.

    Contracts that come are taken in at ``price`` of YES, those that go leave at what they cost: an
    adjustment makes and loses nothing by itself.
    """
    held = int(position.net)
    kept = held if held * net > 0 and abs(net) >= abs(held) else net if held * net > 0 else 0
    cost = position.cost * abs(kept) // abs(held) if held else 0
    each = price if net > 0 else complement(price)
    cost += -(-int(each) * (abs(net) - abs(kept)) // 10_000)
    return msgspec.structs.replace(position, net=net, cost=Money(cost))


def settle(position: Position, payout: Price) -> Position:
    """Close at settlement: ``payout`` is what one YES contract pays."""
    per_contract = payout if position.net > 0 else complement(payout)
    revenue = per_contract * abs(position.net) // 10_000
    return Position(
        net=Quantity(0),
        cost=Money(0),
        realised=Money(position.realised + revenue - position.cost),
        fees=position.fees,
    )


def marked(position: Position, best_bid: Price | None, best_ask: Price | None) -> Money | None:
    """Unrealised P&L at the price we could sell at now; ``None`` when nobody bids for what we hold."""
    if position.net == 0:
        return Money(0)
    exit_price = best_bid if position.net > 0 else (complement(best_ask) if best_ask is not None else None)
    if exit_price is None:
        return None
    return Money(exit_price * abs(position.net) // 10_000 - position.cost)
