"""What an incoming order would meet, leg by leg, and how each leg pays.

Resting orders set the price; improvement is the taker's. A resting order's amount is floored as the
exchange contract does it; where a pair is minted or merged the taker has the rest of the dollar.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.matching import Book
from core.sim.polymarket.contracts import Fee
from core.sim.polymarket.orders import Order


class Leg(msgspec.Struct, frozen=True):
    """One resting order met. Prices and money are each order's own."""

    maker: Order
    shares: Quantity
    price: Price
    money: Money
    maker_price: Price
    maker_money: Money


class Reach(msgspec.Struct, frozen=True):
    """All an order would trade now; ``whole`` where nothing of it would be left."""

    legs: tuple[Leg, ...]
    whole: bool

    @property
    def shares(self) -> int:
        return sum(leg.shares for leg in self.legs)

    @property
    def money(self) -> int:
        return sum(leg.money for leg in self.legs)

    def by_price(self) -> Iterator[tuple[Leg, ...]]:
        """Legs in matching order, those at one price together: each group is one trade."""
        for _, legs in itertools.groupby(self.legs, key=lambda leg: leg.price):
            yield tuple(legs)

    def fee(self, fee: Fee) -> int:
        return sum(fee.of(sum(leg.shares for leg in legs), legs[0].price) for legs in self.by_price())


def reach(book: Book[Order], order: Order) -> Reach:
    """Dry: nothing changes."""
    legs: list[Leg] = []
    left, budget = order.remaining, order.spend
    for maker in book.opposing(order.side, order.price):
        price = order.in_own(maker.price)
        wanted = left if budget is None else budget * 10_000 // price
        shares = Quantity(min(wanted, maker.remaining))
        if not shares:
            break
        leg = _leg(order, maker, shares, price)
        legs.append(leg)
        if budget is None:
            left = Quantity(left - shares)
        else:
            budget = Money(budget - leg.money)
    if budget is None:
        return Reach(tuple(legs), not left)
    # What is left of a budget may be too little for a millionth of a share.
    return Reach(tuple(legs), bool(legs) and budget * 10_000 < legs[-1].price)


def _leg(taker: Order, maker: Order, shares: Quantity, price: Price) -> Leg:
    maker_price = maker.own_price
    maker_money = Money(shares * maker_price // 10_000)
    complementary = taker.outcome != maker.outcome
    money = Money(shares - maker_money) if complementary else maker_money
    return Leg(maker, shares, price, money, maker_price, maker_money)
