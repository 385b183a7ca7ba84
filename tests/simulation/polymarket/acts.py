"""What the second venue's world does by itself: its own faults, and those every exchange has."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from core.domain.units import Price, Quantity
from core.sim.fault_kinds import POLYMARKET, FaultKind
from core.sim.orders import BookSide
from core.sim.plan import Act
from core.sim.polymarket import acts, chain
from core.sim.polymarket.contracts import WEATHER_FEE, Fee
from core.sim.polymarket.modes import Mode
from core.sim.polymarket.orders import OrderRequest, OrderStatus, OrderType, Side
from tests.simulation.polymarket.crowd import SHARE, Crowd
from tests.simulation.polymarket.lies import Lies
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.truth import Truth

FINE, COARSE = Price(10), Price(100)
OPEN_MIN = 3
"""So many markets stay open."""
DEAR_FEE = msgspec.structs.replace(WEATHER_FEE, rate=2 * WEATHER_FEE.rate)
PARTS = (1.0, 0.4, 0.0)
"""How much of an order that is back trades at once."""


class Acts:
    """Carries out acts of the plan on the exchange."""

    KINDS = POLYMARKET | {
        FaultKind[name] for name in ("X02", "X09", "X19", "X24", "X25", "X26", "X27", "X29", "D01", "D05")
    }
    """What it can carry out. Order groups (X21) are the other venue's alone."""

    def __init__(
        self,
        site: PolymarketSite,
        crowd: Crowd,
        truth: Truth,
        lies: Lies,
        rng: random.Random,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._lies = lies
        self._site, self._crowd, self._truth, self._rng, self._loop = site, crowd, truth, rng, loop
        self._own = acts.Acts(site.exchange, crowd, site.key)  # type: ignore[arg-type]  # it only takes
        self._hands: dict[FaultKind, Callable[[Act], None]] = {
            FaultKind.X02: self._late_fill,
            FaultKind.X09: self._overfill,
            FaultKind.X19: self._pause,
            FaultKind.X24: self._regrid,
            FaultKind.X25: self._settle,
            FaultKind.X26: self._self_match,
            FaultKind.X27: self._fees,
            FaultKind.X29: self._by_hand,
            FaultKind.D01: self._freeze,
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

    def _until_done(self, act: Act, step: Callable[[], bool]) -> None:
        """Try every half second while the act lasts, until there was something to do it to."""
        ends = self._loop.time() + act.lasts_ms / 1000

        def again() -> None:
            if not step() and self._loop.time() < ends:
                self._loop.call_later(0.5, again)

        again()

    def _late_fill(self, act: Act) -> None:
        """An order the desk has given up trades or rests after all."""
        part = PARTS[int(act.pick * 997) % len(PARTS)]
        step = self._lies.ghost if act.pick < 0.4 else self._lies.undead
        self._until_done(act, lambda: step(part))

    def _overfill(self, act: Act) -> None:
        self._until_done(act, self._lies.overfill)

    def _fees(self, act: Act) -> None:
        """Twice the fee from now on, which nobody is told, and back again."""
        condition = self._market(act)
        if condition is not None:
            self._charge(condition, DEAR_FEE)
            self._later(act, lambda: self._charge(condition, WEATHER_FEE))

    def _charge(self, condition: str, fee: Fee) -> None:
        self._truth.fees[condition].append(fee)
        self._site.exchange.charge(condition, fee)

    def _freeze(self, act: Act) -> None:
        condition, stream = self._market(act), self._site.stream
        if condition is not None:
            stream.freeze(condition)
            self._later(act, lambda: stream.thaw(condition))

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
        side = self._rng.choice(list(BookSide))
        touch = exchange.books[condition].best(side) or Price(5_000)
        price = Price(int(touch - side.sign * self._rng.choice((-5, 0, 1, 3)) * 100) // 100 * 100)
        if 0 < price < 10_000:
            self._buy(condition, side, price, Quantity(6 * SHARE), act)

    def _self_match(self, act: Act) -> None:
        """Somebody's order on the account meets ours: this venue lets the two trade with each other."""
        self._until_done(act, lambda: self._meet(act))

    def _meet(self, act: Act) -> bool:
        ours = [o for o in self._site.resting() if o.order_id in self._truth.by_hash]
        resting = [order for order in ours if order.status is OrderStatus.LIVE]
        if not resting:
            return False
        order = resting[int(act.pick * len(resting))]
        ahead = self._site.exchange.books[order.condition_id].ahead_of(order)
        self._buy(
            order.condition_id, order.side.opposite, order.price, Quantity(ahead + order.remaining), act
        )
        return True

    def _buy(self, condition: str, side: BookSide, price: Price, shares: Quantity, act: Act) -> None:
        """Side and price are in YES terms."""
        exchange, market = self._site.exchange, self._site.exchange.markets[condition]
        outcome = 0 if side is BookSide.BID else 1
        order_id = "0x" + chain.keccak(f"page {self._rng.getrandbits(48)}".encode()).hex()
        self._truth.by_hand(order_id, market.spec.slug)
        exchange.place(
            OrderRequest(
                order_id, self._site.key, self._site.wallet.address, market.spec.tokens[outcome], Side.BUY,
                OrderType.GTC, price if outcome == 0 else Price(10_000 - price), shares,
            )
        )  # fmt: skip
        self._later(act, lambda: exchange.cancel(self._site.key, order_id))
