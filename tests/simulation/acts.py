"""What the venue's world does by itself: pauses, settlements, orders by hand, and the exchange's rare lies.

Each act of the fault plan is one method; what it began it ends after the act's time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from core.domain.units import Price, Quantity
from core.sim import groups, lifecycle, shards
from core.sim.contracts import CENT_GRID, MarketStatus
from core.sim.fault_kinds import FaultKind
from core.sim.orders import BookSide, Order, OrderRequest, OrderStatus, SelfTrade, TimeInForce
from core.sim.plan import Act
from tests.simulation.crowd import Crowd
from tests.simulation.site import ACCOUNT, SERIES, Site
from tests.simulation.truth import OURS, Truth

CONTRACT = 1_000_000
HALF_CENTS = ((Price(0), Price(10_000), Price(50)),)
RECENT_MS = 20_000
"""A finished order the exchange may still be wrong about."""


class Acts:
    """Carries out acts of the plan on the exchange. Those that lie tell the truth's keeper so."""

    def __init__(
        self, site: Site, crowd: Crowd, truth: Truth, rng: random.Random, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._site, self._crowd, self._truth, self._rng, self._loop = site, crowd, truth, rng, loop
        self._hands: dict[FaultKind, Callable[[Act], None]] = {
            FaultKind.X02: self._late_fill,
            FaultKind.X09: self._overfill,
            FaultKind.X19: self._pause,
            FaultKind.X21: self._trip,
            FaultKind.X24: self._regrid,
            FaultKind.X25: self._settle,
            FaultKind.X26: self._self_match,
            FaultKind.X27: self._fees,
            FaultKind.X29: self._by_hand,
            FaultKind.D01: self._freeze,
            FaultKind.D05: self._jump,
        }

    def carry_out(self, acts: Sequence[Act]) -> None:
        for act in acts:
            self._truth.note(f"act {act.kind.name} {act.pick:.3f} for {act.lasts_ms} ms")
            self._hands[act.kind](act)

    def _later(self, act: Act, step: Callable[[], None]) -> None:
        self._loop.call_later(act.lasts_ms / 1000, step)

    def _market(self, act: Act) -> str | None:
        trading = [
            ticker
            for ticker, market in self._site.exchange.markets.items()
            if market.status in (MarketStatus.ACTIVE, MarketStatus.INACTIVE)
        ]
        return trading[int(act.pick * len(trading))] if trading else None

    def _resting(self, act: Act) -> Order | None:
        working = [
            order
            for order in self._site.exchange.account(ACCOUNT).working.values()
            if order.client_order_id.startswith(OURS)
        ]
        return working[int(act.pick * len(working))] if working else None

    # --- lies ---------------------------------------------------------------------------------

    def _finished(self, status: OrderStatus) -> Order | None:
        now = self._site.clock.wall_ms()
        found = [
            order
            for order in self._truth.orders.values()
            if order.status is status
            and order.tif is TimeInForce.GTC
            and now - order.updated_ms < RECENT_MS
            and self._site.exchange.markets[order.ticker].status is MarketStatus.ACTIVE
        ]
        return found[-1] if found else None

    def _late_fill(self, act: Act) -> None:
        """An order whose cancel was confirmed trades after all."""
        order = self._finished(OrderStatus.CANCELED)
        if order is not None and order.initial > order.filled:
            self._revive(order, Quantity(order.initial - order.filled))

    def _overfill(self, act: Act) -> None:
        """An order that is full trades one contract more."""
        order = self._finished(OrderStatus.EXECUTED)
        if order is not None:
            self._revive(order, Quantity(CONTRACT))

    def _revive(self, order: Order, count: Quantity) -> None:
        self._truth.lied_about[order.client_order_id] = self._site.clock.wall_ms()
        exchange = self._site.exchange
        exchange.account(ACCOUNT).finished.pop(order.order_id, None)
        order.status, order.remaining = OrderStatus.RESTING, count
        exchange.rest(order)
        self._site.hit(order, count)
        if order.remaining:
            exchange.withdraw(order, order.reason)

    # --- the venue ----------------------------------------------------------------------------

    def _pause(self, act: Act) -> None:
        exchange, ticker = self._site.exchange, self._market(act)
        if act.pick < 0.3:
            exchange.set_trading(False)
            self._later(act, lambda: exchange.set_trading(True))
        elif act.pick < 0.5:
            shards.set_exchange(exchange, False)
            self._later(act, lambda: shards.set_exchange(exchange, True))
        elif ticker is not None:
            exchange.pause_market(ticker)
            self._later(act, lambda: self._resume(ticker))

    def _resume(self, ticker: str) -> None:
        self._site.exchange.resume_market(ticker)
        self._crowd.quote(ticker)

    def _trip(self, act: Act) -> None:
        """The venue triggers one of the desk's order groups."""
        exchange = self._site.exchange
        known = list(exchange.account(ACCOUNT).groups.values())
        if known:
            groups.trigger(exchange, known[int(act.pick * len(known))])

    def _regrid(self, act: Act) -> None:
        ticker = self._market(act)
        if ticker is None:
            return
        exchange = self._site.exchange
        market = exchange.markets[ticker]
        lifecycle.change_grid(exchange, market, "half_cent", HALF_CENTS)
        self._later(act, lambda: lifecycle.change_grid(exchange, market, "linear_cent", CENT_GRID))

    def _settle(self, act: Act) -> None:
        """A market closes, is determined, and pays after its timer; enough of them go on."""
        ticker = self._market(act)
        open_ones = sum(m.status is MarketStatus.ACTIVE for m in self._site.exchange.markets.values())
        if ticker is not None and open_ones > 4:
            self._site.exchange.determine(ticker, self._rng.choice(("yes", "no")))

    def _fees(self, act: Act) -> None:
        """Twice the fee from now on, and back again."""
        exchange, now = self._site.exchange, self._site.exchange.world.at(self._site.clock.wall_ms())
        exchange.tariffs.change_series(SERIES, "quadratic", 2.0, now)
        self._later(act, lambda: exchange.tariffs.change_series(SERIES, "quadratic", 1.0, now + act.lasts_ms))

    def _freeze(self, act: Act) -> None:
        ticker = self._market(act)
        if ticker is not None:
            self._site.faults.freeze_books([ticker])
            self._later(act, lambda: self._site.faults.thaw_books([ticker]))

    def _jump(self, act: Act) -> None:
        ticker = self._market(act)
        if ticker is not None:
            self._crowd.jump(ticker)

    # --- hands on the same account -------------------------------------------------------------

    def _self_match(self, act: Act) -> None:
        """Somebody's order on the account meets ours and takes it off the book."""
        order = self._resting(act)
        if order is not None:
            self._place(order.ticker, order.side.opposite, order.price, order.remaining, SelfTrade.MAKER, act)

    def _by_hand(self, act: Act) -> None:
        ticker = self._market(act)
        if ticker is None:
            return
        book, side = self._site.exchange.book(ticker), self._rng.choice(list(BookSide))
        touch = book.best_bid if side is BookSide.BID else book.best_ask
        price = Price((touch or 5_000) - side.sign * self._rng.choice((-500, 0, 100, 300)))
        if 0 < price < 10_000:
            self._place(ticker, side, price, Quantity(3 * CONTRACT), SelfTrade.TAKER_AT_CROSS, act)

    def _place(
        self, ticker: str, side: BookSide, price: Price, count: Quantity, stp: SelfTrade, act: Act
    ) -> None:
        exchange = self._site.exchange
        placed = exchange.place(
            OrderRequest(
                ACCOUNT,
                ticker,
                side,
                price,
                count,
                client_order_id=f"web-{self._rng.getrandbits(48)}",
                stp=stp,
            )
        )
        order_id = getattr(placed, "order_id", None)
        if order_id is not None:
            self._later(act, lambda: exchange.cancel(ACCOUNT, order_id))
