"""What the second venue does now and then to a single order: it finds that it should not have taken it."""

from __future__ import annotations

import asyncio
import random

from core.sim.polymarket.events import Event, OrderChanged, OrderEvent
from core.sim.polymarket.orders import Cause, Order, OrderStatus
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.truth import Truth

EVERY_S = (15.0, 60.0, 100_000.0)
"""Mean pause between whims; a run draws one of them."""


class Whims:
    """Throws out, now and then, the next order of the desk that has just come to rest."""

    def __init__(
        self, site: PolymarketSite, truth: Truth, rng: random.Random, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._site, self._truth, self._rng, self._loop = site, truth, rng, loop
        self._every_s = rng.choice(EVERY_S)
        self._due = False
        self.over = False
        site.exchange.listeners.append(self._happened)

    def second(self) -> None:
        self._due = not self.over and (self._due or self._rng.random() < 1 / self._every_s)

    def _happened(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order, kind=OrderEvent.PLACEMENT) if self._due:
                if order.order_id in self._truth.by_hash:
                    self._due = False
                    self._loop.call_soon(self._throw_out, order)

    def _throw_out(self, order: Order) -> None:
        if order.status is OrderStatus.LIVE and not order.matched:
            self._truth.note(f"polymarket whim: {order.order_id[:12]} is found to be invalid")
            self._site.exchange.take_off(order, Cause.INVALID)
