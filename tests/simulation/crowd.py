"""Everybody else: quotes that move, and trades that fill the desk's resting orders."""

from __future__ import annotations

import random

from core.domain.units import Price, Quantity
from core.sim.contracts import MarketStatus
from core.sim.orders import BookSide, OrderRequest
from tests.simulation.site import ACCOUNT, CROWD, Site

CENT = 100
LOT = 10_000


class Crowd:
    """Two levels a side in each market, around a middle that walks."""

    def __init__(self, site: Site, rng: random.Random, greed: float, unrest: float) -> None:
        self._site, self._rng = site, rng
        self._greed = greed
        """Chance a second that a resting order of the desk is traded with."""
        self._unrest = unrest
        """Chance a second that a market's quotes move."""
        self._middle = {ticker: rng.randrange(15, 86) for ticker in site.exchange.markets}
        for ticker in self._middle:
            self.quote(ticker)

    def quote(self, ticker: str) -> None:
        """Take the old quotes away and make new ones."""
        exchange, rng = self._site.exchange, self._rng
        if (
            exchange.markets[ticker].status is not MarketStatus.ACTIVE
            or not exchange.shards[0].trading_active
        ):
            return
        exchange.cancel_all(CROWD, ticker)
        middle = self._middle[ticker] = min(90, max(10, self._middle[ticker] + rng.randint(-1, 1)))
        half = rng.choice((1, 1, 2, 3))
        for side in BookSide:
            for level in range(2):
                cents = middle - side.sign * (half + level)
                size = Quantity(rng.randrange(20, 400) * 1_000_000)
                exchange.place(OrderRequest(CROWD, ticker, side, Price(cents * CENT), size))

    def jump(self, ticker: str) -> None:
        """The quotes of a market move far at once."""
        self._middle[ticker] = self._rng.randrange(10, 91)
        self.quote(ticker)

    def second(self) -> None:
        """What a second of the market brings."""
        rng, exchange = self._rng, self._site.exchange
        for ticker in self._middle:
            if rng.random() < self._unrest or self._taken(ticker):
                self.quote(ticker)
        for order in list(exchange.account(ACCOUNT).working.values()):
            if rng.random() < self._greed and order.remaining:
                share = rng.choice((0.1, 0.3, 0.5, 1.0))
                count = max(LOT, int(order.remaining * share) // LOT * LOT)
                self._site.hit(order, count)

    def _taken(self, ticker: str) -> bool:
        """Whether all that was quoted on one side has traded: nobody leaves it so for long, and a desk that
        sees one side only opens nothing in the whole event."""
        mine = self._site.exchange.account(CROWD).working.values()
        return len({order.side for order in mine if order.ticker == ticker}) == 1
