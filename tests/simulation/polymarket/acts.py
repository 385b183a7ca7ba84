"""What the second venue's world does by itself: its own faults, and those every exchange has."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from core.domain.units import Price, Quantity
from core.sim.fault_kinds import POLYMARKET, FaultKind
from core.sim.orders import BookSide
from core.sim.plan import Act
from core.sim.polymarket import acts, chain
from core.sim.polymarket.modes import Mode
from core.sim.polymarket.orders import OrderRequest, OrderType, Side
from tests.simulation.polymarket.crowd import SHARE, Crowd
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.truth import Truth

FINE, COARSE = Price(10), Price(100)
OPEN_MIN = 3
"""So many markets stay open."""


class Acts:
    """Carries out acts of the plan on the exchange."""

    KINDS = POLYMARKET | {FaultKind[name] for name in ("X19", "X24", "X25", "X29", "D05")}
    """What it can carry out."""

    def __init__(
        self,
        site: PolymarketSite,
        crowd: Crowd,
        truth: Truth,
        rng: random.Random,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._site, self._crowd, self._truth, self._rng, self._loop = site, crowd, truth, rng, loop
        self._own = acts.Acts(site.exchange, crowd, site.key)  # type: ignore[arg-type]  # it only takes
        self._hands: dict[FaultKind, Callable[[Act], None]] = {
            FaultKind.X19: self._pause,
            FaultKind.X24: self._regrid,
            FaultKind.X25: self._settle,
            FaultKind.X29: self._by_hand,
            FaultKind.D05: self._jump,
        }

    def carry_out(self, wanted: Sequence[Act]) -> None:
        for act in wanted:
            self._truth.note(f"polymarket act {act.kind.name} {act.pick:.3f} for {act.lasts_ms} ms")
            if act.kind in self._hands:
                self._hands[act.kind](act)
        self._own.carry_out([act for act in wanted if act.kind not in self._hands])

    def _later(self, act: Act, step: Callable[[], object]) -> None:
        self._loop.call_later(act.lasts_ms / 1000, step)

    def _market(self, act: Act) -> str | None:
        trading = [condition for condition, m in self._site.exchange.markets.items() if m.tradeable]
        return trading[int(act.pick * len(trading))] if trading else None

    def _pause(self, act: Act) -> None:
        engine = self._site.exchange.engine
        engine.enter(Mode.CANCEL_ONLY if act.pick < 0.5 else Mode.DISABLED)
        self._later(act, lambda: engine.enter(Mode.NORMAL))

    def _regrid(self, act: Act) -> None:
        condition, exchange = self._market(act), self._site.exchange
        if condition is not None:
            exchange.flip_tick(condition, FINE)
            self._later(act, lambda: exchange.flip_tick(condition, COARSE))

    def _settle(self, act: Act) -> None:
        """A market resolves under orders and a position; enough of them go on."""
        condition, exchange = self._market(act), self._site.exchange
        if condition is not None and sum(m.tradeable for m in exchange.markets.values()) > OPEN_MIN:
            exchange.resolve(condition, self._rng.choice((0, 1)))

    def _jump(self, act: Act) -> None:
        condition = self._market(act)
        if condition is not None:
            self._crowd.jump(condition)

    def _by_hand(self, act: Act) -> None:
        """Somebody buys on the venue's page with the same wallet."""
        condition, exchange = self._market(act), self._site.exchange
        if condition is None:
            return
        side, market = self._rng.choice(list(BookSide)), exchange.markets[condition]
        touch = exchange.books[condition].best(side) or Price(5_000)
        price = Price(int(touch - side.sign * self._rng.choice((-5, 0, 1, 3)) * 100) // 100 * 100)
        if not 0 < price < 10_000:
            return
        outcome = 0 if side is BookSide.BID else 1
        order_id = "0x" + chain.keccak(f"page {self._rng.getrandbits(48)}".encode()).hex()
        self._truth.by_hand(order_id, market.spec.slug)
        exchange.place(
            OrderRequest(
                order_id, self._site.key, self._site.wallet.address, market.spec.tokens[outcome], Side.BUY,
                OrderType.GTC, price if outcome == 0 else Price(10_000 - price), Quantity(6 * SHARE),
            )
        )  # fmt: skip
        self._later(act, lambda: exchange.cancel(self._site.key, order_id))
