"""The other side of every trade here: makers who quote what the world's crowd believes, and takers.

They believe what Kalshi's crowd believes. All of it happens in real time, driven by ``step``; the seed
decides every choice.
"""

from __future__ import annotations

import heapq
import random
from itertools import count

import msgspec

from core.domain.clock import Clock
from core.domain.units import Money, Price, Quantity, contracts
from core.sim.beliefs import Beliefs
from core.sim.orders import BookSide
from core.sim.polymarket import chain
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.orders import Order, OrderRequest, OrderStatus, OrderType, Side
from core.sim.polymarket.trading import Placed
from core.sim.polymarket.twins import Twin
from core.sim.polymarket.typed_data import SignatureType
from core.sim.polymarket.wallets import Wallet
from core.sim.world import Listing, World

DEEP_POCKETS = Money(10**15)
_STOCK = contracts(2_000)
"""Pairs a maker splits for each market, so that it can sell YES it holds."""
_TAKE_EVERY_S, _MEET_EVERY_S, _MEET_LOOK_S = 2.0, 7.0, 0.5
_BURST_MAX = 100
_MOVE_FROM = 75
"""Ten-thousandths the wanted price must lie from a quote's before it is moved."""


class Style(msgspec.Struct, frozen=True):
    """How a maker works: ten-thousandths, shares, real seconds. ``stocked`` ones offer what they hold."""

    name: str
    half_spread: int
    size: tuple[int, int]
    look_s: tuple[float, float]
    stocked: bool


MAKERS = (
    Style("crowd-maker-near", 90, (40, 140), (1.0, 3.0), True),
    Style("crowd-maker-far", 260, (80, 240), (2.0, 5.0), False),
)


class _Desk(msgspec.Struct, eq=False):
    """One maker in one market."""

    style: Style
    wallet: Wallet
    twin: Twin
    quotes: dict[BookSide, Order] = {}


class Crowd:
    """``customers`` are API keys whose resting orders people trade with."""

    def __init__(
        self,
        exchange: Exchange,
        world: World,
        beliefs: Beliefs,
        real: Clock,
        rng: random.Random,
        *,
        moves: bool,
    ) -> None:
        self.customers: set[str] = set()
        self._exchange, self._world, self._beliefs = exchange, world, beliefs
        self._real, self._rng, self._moves = real, rng, moves
        self._numbers = count(1)
        self._wallets = {style.name: self._wallet(style.name) for style in MAKERS}
        self._taker = self._wallet("crowd-takers")
        self._desks: dict[str, list[_Desk]] = {}
        """By the world's event."""
        self._due: list[tuple[int, int, _Desk]] = []
        self._next_take_ms = self._next_meet_ms = 0

    def enter(self, twin: Twin) -> None:
        """Quote both sides of a new market at once."""
        market = self._exchange.markets[twin.condition_id]
        for style in MAKERS:
            wallet = self._wallets[style.name]
            if style.stocked:
                self._exchange.split(wallet, market, _STOCK)
            desk = _Desk(style, wallet, twin)
            self._desks.setdefault(twin.listed.event_ticker, []).append(desk)
            self._quote(desk)
            self._look_again(desk)

    def requote(self, listed: Listing) -> None:
        """Every maker of an event reprices now, as those of the other venue do. Old prices leave first."""
        desks = self._desks.get(listed.event_ticker, ()) if self._moves else ()
        for desk in desks:
            for side, wanted in self._wanted(desk):
                self._pull(desk, side, wanted)
        for desk in desks:
            self._quote(desk)

    def step(self) -> None:
        """Do what is due by now."""
        if not self._moves:
            return
        now_ms, world_ms = self._real.wall_ms(), self._world.now_ms()
        for _ in range(_BURST_MAX):
            if not self._due or self._due[0][0] > now_ms:
                break
            desk = heapq.heappop(self._due)[2]
            if world_ms >= desk.twin.listed.close_ms:
                self._leave(desk)
                continue
            self._quote(desk)
            self._look_again(desk)
        if now_ms >= self._next_take_ms:
            self._next_take_ms = now_ms + int(self._rng.expovariate(1 / _TAKE_EVERY_S) * 1000)
            self._take_something()
        if now_ms >= self._next_meet_ms:
            self._next_meet_ms = now_ms + int(_MEET_LOOK_S * 1000)
            self._meet_customers()

    def meet(self, order: Order, share: float) -> None:
        """Someone trades with a resting order: with all that queues before it, then ``share`` of it."""
        ahead = self._exchange.books[order.condition_id].ahead_of(order)
        shares = Quantity(ahead + int(order.remaining * share))
        self.take(order.condition_id, order.side.opposite, order.price, shares)

    def take(self, condition_id: str, side: BookSide, price: Price, shares: Quantity) -> None:
        """A marketable order in YES terms: selling what the takers hold, else buying the other outcome."""
        self._post(self._taker, condition_id, side, price, shares, OrderType.FAK, sells=True)

    # Makers

    def _look_again(self, desk: _Desk) -> None:
        due = self._real.wall_ms() + int(self._rng.uniform(*desk.style.look_s) * 1000)
        heapq.heappush(self._due, (due, next(self._numbers), desk))

    def _leave(self, desk: _Desk) -> None:
        event = desk.twin.listed.event_ticker
        self._desks[event].remove(desk)
        if not self._desks[event]:
            del self._desks[event]
        for order in desk.quotes.values():
            self._exchange.cancel(order.owner, order.order_id)
        desk.quotes = {}

    def _quote(self, desk: _Desk) -> None:
        tick = self._exchange.markets[desk.twin.condition_id].tick
        for side, wanted in self._wanted(desk):
            self._pull(desk, side, wanted)
            if side not in desk.quotes:
                self._show(desk, side, wanted, tick)

    def _wanted(self, desk: _Desk) -> list[tuple[BookSide, int]]:
        tick, fair = self._exchange.markets[desk.twin.condition_id].tick, self._fair(desk.twin)
        return [(side, _on_grid(fair - side.sign * desk.style.half_spread, side, tick)) for side in BookSide]

    def _fair(self, twin: Twin) -> int:
        fair = self._beliefs.fair(twin.listed)
        return int(sum(fair[ticker] for ticker in twin.tickers) * 10_000)

    def _pull(self, desk: _Desk, side: BookSide, wanted: int) -> None:
        """Drop a quote that is gone, too far from the wanted price, or too small by now."""
        order = desk.quotes.get(side)
        if order is None:
            return
        if order.status is OrderStatus.LIVE:
            if abs(order.price - wanted) < _MOVE_FROM and order.remaining * 2 >= order.shares:
                return
            self._exchange.cancel(order.owner, order.order_id)
        del desk.quotes[side]

    def _show(self, desk: _Desk, side: BookSide, wanted: int, tick: int) -> None:
        """Rest a quote, one tick behind whatever it would meet."""
        best = self._exchange.books[desk.twin.condition_id].best(side.opposite)
        if best is not None and side.sign * (wanted - best) >= 0:
            wanted = best - side.sign * tick
        if not tick <= wanted <= 10_000 - tick:
            return
        size = contracts(self._rng.randint(*desk.style.size))
        placed = self._post(
            desk.wallet, desk.twin.condition_id, side, Price(wanted), size, OrderType.GTC,
            sells=desk.style.stocked and side is BookSide.ASK,
        )  # fmt: skip
        if placed is not None and placed.status is OrderStatus.LIVE:
            desk.quotes[side] = placed

    # Takers

    def _take_something(self) -> None:
        """A small order at the touch somewhere, in the livelier markets more often."""
        open_now = [m for m in self._exchange.markets.values() if m.tradeable]
        if not open_now:
            return
        market, side = self._rng.choice(open_now), self._rng.choice(list(BookSide))
        touch = self._exchange.books[market.condition_id].best(side.opposite)
        if touch is not None and self._rng.random() < 4 * touch * (10_000 - touch) / 10**8 + 0.1:
            size = contracts(5 + int(self._rng.expovariate(1 / 8)))
            self.take(market.condition_id, side, touch, size)

    def _meet_customers(self) -> None:
        chance = _MEET_LOOK_S / _MEET_EVERY_S
        for customer in sorted(self.customers):
            for order in self._exchange.open_orders(customer):
                best = self._exchange.books[order.condition_id].best(order.side)
                if best is None or order.status is not OrderStatus.LIVE or abs(best - order.price) > 100:
                    continue
                if self._rng.random() < chance:
                    self.meet(order, self._rng.choice((0.4, 1.0, 1.0)))

    # Both

    def _wallet(self, name: str) -> Wallet:
        address = chain.checksum(chain.keccak(name.encode())[12:])
        return self._exchange.open_wallet(address, address, SignatureType.EOA, DEEP_POCKETS)

    def _post(
        self,
        wallet: Wallet,
        condition_id: str,
        side: BookSide,
        price: Price,
        shares: Quantity,
        kind: OrderType,
        *,
        sells: bool,
    ) -> Order | None:
        """An order in YES terms: of the outcome it sells out of stock, or of the one it buys."""
        tokens = self._exchange.markets[condition_id].spec.tokens
        bought, sold = (0, 1) if side is BookSide.BID else (1, 0)
        now_ms = self._real.wall_ms()
        action, outcome = Side.BUY, bought
        if sells and wallet.available(tokens[sold], now_ms) >= shares:
            action, outcome = Side.SELL, sold
        number = f"{wallet.address} {next(self._numbers)}"
        placed = self._exchange.place(
            OrderRequest(
                "0x" + chain.keccak(number.encode()).hex(),
                wallet.address,
                wallet.address,
                tokens[outcome],
                action,
                kind,
                price if outcome == 0 else Price(10_000 - price),
                shares,
                post_only=kind is OrderType.GTC,
            )
        )
        return placed.order if isinstance(placed, Placed) else None


def _on_grid(price: int, side: BookSide, tick: int) -> int:
    """The nearest price of the grid that leaves room for the other side."""
    low, high = (tick, 10_000 - 2 * tick) if side is BookSide.BID else (2 * tick, 10_000 - tick)
    return max(low, min(high, round(price / tick) * tick))
