"""Lists what the families offer, quotes it around the crowd's value and settles it: one quiet maker for all.

A quote moves when its price does by a cent or half of it is gone, so that many markets cost little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money, Price, contracts
from core.sim.contracts import EventSpec
from core.sim.exchange import BookSide, Exchange, OrderRequest, Placed
from core.sim.families.family import Family, Offering
from core.sim.orders import Order, OrderStatus

MAKER = "sim-families-maker"
LIST_EVERY_MS = 1_000
"""Real time between two looks at the families' calendars."""

_POCKETS = Money(10**15)
_HALF_SPREAD_CENTS = 1.0
_SIZE = 100


class _Quoted(msgspec.Struct):
    """An event with the maker's quotes by market and side, and when it is looked at again (real time)."""

    of: Offering
    spec: EventSpec
    every_ms: int
    next_ms: int
    quotes: dict[tuple[str, BookSide], Order] = {}


class FamilyFloor:
    """Driven by ``step``."""

    def __init__(
        self, exchange: Exchange, families: Sequence[Family], real: Clock, world: WorldClock
    ) -> None:
        self._exchange, self._families, self._real, self._world = exchange, families, real, world
        self._quoted: dict[str, _Quoted] = {}
        self._over: list[_Quoted] = []
        self._next_ms = 0
        if families:
            exchange.open_account(MAKER, _POCKETS)
        for family in families:
            exchange.list_series(family.series)

    def step(self) -> None:
        """Bring every family up to now, after the exchange has been."""
        real_ms = self._real.wall_ms()
        now_ms = self._world.at(real_ms)
        for done in [over for over in self._over if over.of.determined_ms <= now_ms]:
            self._over.remove(done)
            self._determine(done)
        for event, quoted in list(self._quoted.items()):
            if quoted.spec.markets[0].close_ms <= now_ms:
                self._over.append(self._quoted.pop(event))
        if real_ms >= self._next_ms:
            self._next_ms = real_ms + LIST_EVERY_MS
            self._list(real_ms, now_ms)
        for quoted in self._quoted.values():
            if quoted.next_ms <= real_ms:
                quoted.next_ms = real_ms + quoted.every_ms
                self._quote(quoted, now_ms)

    def _list(self, real_ms: int, now_ms: int) -> None:
        for family in self._families:
            for of in family.open(now_ms, self._exchange.events):
                spec = of.spec
                self._exchange.list_event(spec)
                self._quoted[spec.event_ticker] = _Quoted(of, spec, family.look_every_ms, real_ms)

    def _determine(self, over: _Quoted) -> None:
        ended = over.of.outcome()
        for market, yes in zip(over.spec.markets, ended.yes, strict=True):
            self._exchange.determine(market.ticker, "yes" if yes else "no", ended.value)

    def _quote(self, quoted: _Quoted, now_ms: int) -> None:
        """Old prices leave before new ones come: nobody meets the maker's own quote of before."""
        chances = quoted.of.chances(now_ms)
        wanted = {
            (market.ticker, side): Price(cents * 100)
            for market, chance in zip(quoted.spec.markets, chances, strict=True)
            for side, cents in quotes_around(chance).items()
        }
        moved = [key for key, price in wanted.items() if not _stands(quoted.quotes.get(key), price)]
        for key in moved:
            held = quoted.quotes.pop(key, None)
            if held is not None and held.status is OrderStatus.RESTING:
                self._exchange.cancel(MAKER, held.order_id)
        for ticker, side in moved:
            request = OrderRequest(
                MAKER, ticker, side, wanted[ticker, side], contracts(_SIZE), post_only=True
            )
            answer = self._exchange.place(request)
            if isinstance(answer, Placed):
                quoted.quotes[ticker, side] = answer.order


def quotes_around(chance: float) -> dict[BookSide, int]:
    """Both sides in cents; they always exist and never meet."""
    bid = min(98, max(1, math.floor(chance * 100 - _HALF_SPREAD_CENTS)))
    ask = min(99, max(bid + 1, math.ceil(chance * 100 + _HALF_SPREAD_CENTS)))
    return {BookSide.BID: bid, BookSide.ASK: ask}


def _stands(held: Order | None, price: Price) -> bool:
    if held is None or held.status is not OrderStatus.RESTING:
        return False
    return held.price == price and held.remaining * 2 >= contracts(_SIZE)
