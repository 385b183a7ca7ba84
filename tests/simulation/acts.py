"""What the venue's world does by itself: pauses, settlements, orders by hand, and the exchange's rare lies.

Each act of the fault plan is one method; what it began it ends after the act's time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from core.domain.units import Price, Quantity
from core.sim import amending, groups, lifecycle, shards
from core.sim.contracts import CENT_GRID, MarketStatus
from core.sim.fault_kinds import FaultKind
from core.sim.orders import (
    BookSide,
    Order,
    OrderRequest,
    OrderStatus,
    Reason,
    Refused,
    SelfTrade,
    TimeInForce,
)
from core.sim.plan import Act
from tests.simulation.crowd import Crowd
from tests.simulation.site import ACCOUNT, SERIES, Site
from tests.simulation.truth import OURS, Truth

CONTRACT, LOT = 1_000_000, 10_000
HALF_CENTS = ((Price(0), Price(10_000), Price(50)),)
RECENT_MS = 20_000
"""A finished order the exchange may still be wrong about."""
GHOSTS = 3
BACK_MS = 90_000
"""So long an order that is back would rest."""
LATE_MS = 300_000
"""An intent this old is not taken up any more by an exchange that had refused or lost it."""


def _share(count: int, part: float) -> Quantity:
    return Quantity(max(LOT, int(count * part) // LOT * LOT))


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

    def _later(self, act: Act, step: Callable[[], object]) -> None:
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

    def _until_done(self, act: Act, step: Callable[[], bool]) -> None:
        """Try every half second while the act lasts, until there was something to do it to."""
        ends = self._loop.time() + act.lasts_ms / 1000

        def again() -> None:
            if not step() and self._loop.time() < ends:
                self._loop.call_later(0.5, again)

        again()

    def _late_fill(self, act: Act) -> None:
        """An order the desk has given up trades or rests after all."""
        part = (1.0, 0.4, 0.0)[int(act.pick * 997) % 3]
        step = self._ghost if act.pick < 0.4 else self._undead
        self._until_done(act, lambda: step(part))

    def _undead(self, part: float) -> bool:
        """Its end was confirmed, and it is back."""
        order = self._finished(OrderStatus.CANCELED)
        if order is None or order.initial <= order.filled:
            return False
        self._revive(order, Quantity(order.initial - order.filled), part)
        if part and order.remaining and self._rng.random() < 0.5:
            self._site.exchange.withdraw(order, None)
        return True

    def _ghost(self, part: float) -> bool:
        """It was refused, or never seen, and there it is."""
        truth, exchange, now = self._truth, self._site.exchange, self._site.clock.wall_ms()
        wanted = [i for i in truth.intents.values() if now - i.created_ms <= LATE_MS]
        self._rng.shuffle(wanted)
        for intent in wanted:
            client = intent.client_order_id
            trades = exchange.markets[intent.ticker].status is MarketStatus.ACTIVE
            if (
                client in truth.orders
                or client in truth.on_the_way
                or not trades
                or intent.expires_ms is None
            ):
                continue
            truth.lie(client, intent.ticker)
            placed = exchange.place(
                OrderRequest(
                    ACCOUNT, intent.ticker, BookSide(intent.side.value), intent.price, intent.quantity,
                    client_order_id=client, expiration_ms=now + BACK_MS,
                )
            )  # fmt: skip
            order = truth.orders.get(client)
            if isinstance(placed, Refused) or order is None:
                del truth.lied_about[client]
                continue
            if part and order.remaining:
                self._site.hit(order, _share(order.remaining, part))
            return True
        return False

    def haunt(self) -> None:
        """In a market at rest: one order each that was cancelled, expired, refused or never seen is back."""
        back: dict[str, None] = {}
        for reason in (None, Reason.EXPIRY):
            order = next((o for o in self._ended(OrderStatus.CANCELED) if o.reason is reason), None)
            if order is not None and order.ticker not in back and order.initial > order.filled:
                back[order.ticker] = None
                self._revive(order, Quantity(order.initial - order.filled), 0.0)
            twice = next((o for o in self._ended(OrderStatus.CANCELED) if o.reason is reason), None)
            if twice is not None and twice.initial > twice.filled:
                self._end_again(twice)
        with self._site.silently():  # a message would stir the market
            for _ in range(GHOSTS):
                self._ghost(0.0)
        self._end_small()

    def _end_again(self, order: Order) -> None:
        """It traded after its end, which nobody is told, and ends a second time in another word."""
        word = None if order.reason is Reason.EXPIRY else Reason.EXPIRY
        with self._site.silently():
            self._revive(order, Quantity(order.initial - order.filled), 0.4)
        if order.remaining:
            self._site.exchange.withdraw(order, word)

    def _end_small(self) -> None:
        """A resting order is made smaller by hand, fills, and then a little more."""
        exchange = self._site.exchange
        order = next((o for o in exchange.account(ACCOUNT).working.values() if o.remaining > 4 * LOT), None)
        if order is None or not order.client_order_id.startswith(OURS):
            return
        self._truth.lie(order.client_order_id, order.ticker)
        amending.decrease(exchange, ACCOUNT, order.order_id, Quantity(LOT))
        self._site.hit(order, LOT)
        self._loop.call_later(2.0, lambda: self._revive(order, Quantity(LOT), 1.0))

    def _overfill(self, act: Act) -> None:
        """An order that is full trades one contract more."""

        def step() -> bool:
            order = self._finished(OrderStatus.EXECUTED)
            if order is not None:
                self._revive(order, Quantity(2 * CONTRACT), self._rng.choice((0.5, 1.0)))
                if order.remaining:
                    self._site.exchange.withdraw(order, None)
            return order is not None

        self._until_done(act, step)

    def _finished(self, status: OrderStatus) -> Order | None:
        now = self._site.clock.wall_ms()
        return next((o for o in self._ended(status) if now - o.updated_ms < RECENT_MS), None)

    def _ended(self, status: OrderStatus) -> list[Order]:
        """Limit orders that ended so in markets that trade, the newest first."""
        markets = self._site.exchange.markets
        return [
            order
            for order in reversed(self._truth.orders.values())
            if order.status is status
            and order.tif is TimeInForce.GTC
            and order.client_order_id not in self._truth.lied_about
            and markets[order.ticker].status is MarketStatus.ACTIVE
        ]

    def _revive(self, order: Order, count: Quantity, part: float) -> None:
        self._truth.lie(order.client_order_id, order.ticker)
        exchange = self._site.exchange
        exchange.account(ACCOUNT).finished.pop(order.order_id, None)
        order.status, order.remaining = OrderStatus.RESTING, count
        order.expiration_ms = self._site.clock.wall_ms() + BACK_MS
        exchange.rest(order)
        if part:
            self._site.hit(order, _share(count, part))

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
            exchange, result = self._site.exchange, self._rng.choice(("yes", "no"))
            exchange.move_close(ticker, exchange.world.at(self._site.clock.wall_ms()))
            self._loop.call_later(1.5, lambda: exchange.determine(ticker, result))

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

        def step() -> bool:
            order = self._resting(act)
            if order is not None:
                self._place(
                    order.ticker, order.side.opposite, order.price, order.remaining, SelfTrade.MAKER, act
                )
            return order is not None

        self._until_done(act, step)

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
