"""Everybody else on the second venue: quotes that move, and trades that fill the desk's resting orders."""

from __future__ import annotations

import asyncio
import random

from core.domain.units import Price, Quantity
from core.sim.orders import BookSide
from core.sim.polymarket.orders import Order, OrderStatus
from tests.simulation.polymarket.site import QUOTERS, PolymarketSite

LOT, SHARE = 10_000, 1_000_000


class Crowd:
    """Two levels a side in each market, around a middle that walks."""

    def __init__(
        self,
        site: PolymarketSite,
        rng: random.Random,
        loop: asyncio.AbstractEventLoop,
        greed: float,
        unrest: float,
    ) -> None:
        self._site, self._rng, self._loop = site, rng, loop
        self._greed, self._unrest = greed, unrest
        self._quotes: dict[str, list[Order]] = {}
        self._middle = {condition: rng.randrange(15, 86) for condition in site.exchange.markets}
        for condition in self._middle:
            self.quote(condition)

    def take(self, condition_id: str, side: BookSide, price: Price, shares: Quantity) -> None:
        """A marketable order in YES terms."""
        self._site.take(condition_id, side, price, shares)

    def quote(self, condition: str) -> None:
        """Take the old quotes away and make new ones."""
        exchange, rng = self._site.exchange, self._rng
        if not exchange.markets[condition].tradeable:
            return
        for old in self._quotes.pop(condition, ()):
            exchange.cancel(old.owner, old.order_id)
        middle = self._middle[condition] = min(90, max(10, self._middle[condition] + rng.randint(-1, 1)))
        half, made = rng.choice((1, 1, 2, 3)), []
        for side in BookSide:
            for level in range(2):
                cents = middle - side.sign * (half + level)
                size = Quantity(rng.randrange(20, 400) * SHARE)
                made.append(self._site.post(QUOTERS, condition, side, Price(cents * 100), size))
        self._quotes[condition] = [order for order in made if order is not None]

    def jump(self, condition: str) -> None:
        """The quotes of a market move far at once."""
        self._middle[condition] = self._rng.randrange(10, 91)
        self.quote(condition)

    def second(self) -> None:
        """What a second of the market brings, each thing in a moment of its own."""
        rng = self._rng
        for condition in self._middle:
            if rng.random() < self._unrest:
                self._loop.call_later(rng.random(), self.quote, condition)
        for order in self._site.resting():
            if rng.random() < self._greed:
                self._loop.call_later(rng.random(), self._meet, order, rng.choice((0.1, 0.3, 0.5, 1.0)))

    def _meet(self, order: Order, share: float) -> None:
        if order.status is OrderStatus.LIVE and order.remaining:
            self._site.hit(order, _part(order, share))


def _part(order: Order, share: float) -> int:
    return max(LOT, int(order.remaining * share) // LOT * LOT)
