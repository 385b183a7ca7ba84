"""What the second venue does now and then that no fault plan brings about: it finds that it should not have
taken an order, everybody comes at once and its limits are lower, the wallet takes its allowance back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from core.sim.polymarket.events import Event, OrderChanged, OrderEvent
from core.sim.polymarket.orders import Cause, Order, OrderStatus
from core.sim.polymarket.wallets import UNLIMITED
from tests.simulation.chance import Chance
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.truth import Truth

EVERY_S = (15.0, 60.0, 100_000.0)
"""Mean pause between orders that are thrown out; a run draws one of them."""
RUSH_EVERY_S, RUSH_S = (30.0, 100_000.0, 100_000.0), (5.0, 20.0)
EDGES, BUCKETS = (20.0, 60.0, 200.0), (5.0, 10.0, 20.0)
"""By how much limits are lower while everybody comes at once: a desk needs a hundredth of the usual ones."""
REVOKE_EVERY_S, REVOKED_S = (40.0, 100_000.0, 100_000.0), (2.0, 8.0)


class _Pace:
    """How often one whim strikes: a run draws its mean pause, and every second it may."""

    def __init__(self, rng: random.Random, every_s: Sequence[float]) -> None:
        self.rng = rng
        self._every_s = rng.choice(every_s)

    def strikes(self) -> bool:
        return self.rng.random() < 1 / self._every_s


class Whims:
    """Strikes now and then until ``over``."""

    def __init__(
        self, site: PolymarketSite, truth: Truth, chance: Chance, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._site, self._truth, self._loop = site, truth, loop
        self._throws = _Pace(chance.stream("polymarket whims"), EVERY_S)
        self._rushes = _Pace(chance.stream("polymarket rush"), RUSH_EVERY_S)
        self._revokes = _Pace(chance.stream("polymarket allowance"), REVOKE_EVERY_S)
        self._due = self._crowded = self._revoked = False
        self.over = False
        site.exchange.listeners.append(self._happened)

    def second(self) -> None:
        self._due = not self.over and (self._due or self._throws.strikes())
        if self.over:
            return
        if self._rushes.strikes() and not self._crowded:
            self._rush()
        if self._revokes.strikes() and not self._revoked:
            self._revoke()

    def _rush(self) -> None:
        """The edge lets requests wait and then refuses them, and a signer may send less."""
        edge, signers, rng = self._site.venue.edge, self._site.venue.signers, self._rushes.rng
        edge.squeeze, signers.squeeze = rng.choice(EDGES), rng.choice(BUCKETS)
        self._truth.note(f"polymarket whim: limits are {edge.squeeze} and {signers.squeeze} times lower")
        self._crowded = True

        def ends() -> None:
            edge.squeeze = signers.squeeze = 1.0
            self._crowded = False

        self._loop.call_later(rng.uniform(*RUSH_S), ends)

    def _revoke(self) -> None:
        """The exchange contracts may take nothing from the wallet for a while: nothing can be paid."""
        allowances = self._site.wallet.allowances
        self._truth.note("polymarket whim: allowances are taken back")
        allowances.update(dict.fromkeys(allowances, 0))
        self._revoked = True

        def ends() -> None:
            allowances.update(dict.fromkeys(allowances, UNLIMITED))
            self._revoked = False

        self._loop.call_later(self._revokes.rng.uniform(*REVOKED_S), ends)

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
