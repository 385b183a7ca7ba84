"""The other side of every trade: market makers with opinions of their own, and people who take quotes.

All of it happens in real time at a human pace and is driven by ``step``; nothing runs by itself. The
seed decides every choice.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable

import msgspec

from core.domain.clock import Clock
from core.domain.units import ONE_CONTRACT, Money, Price, contracts
from core.sim.beliefs import Beliefs
from core.sim.exchange import BookSide, Exchange, OrderRequest, Placed, TimeInForce
from core.sim.orders import Order, OrderStatus
from core.sim.weather import climate_day
from core.sim.world import Listing, World

CENT = 100
DEEP_POCKETS = Money(10**15)
TAKERS = "sim-takers"

_BURST_MAX = 200
"""Actions of one step; what is due beyond them waits for the next."""


class Style(msgspec.Struct, frozen=True):
    """How a market maker works. Cents, contracts and real seconds."""

    account: str
    half_spread: float
    size: tuple[int, int]
    opinion: float
    """Largest distance from the crowd's value."""
    look_s: tuple[float, float]
    refill_below: float
    """Share of its size under which a quote is topped up."""


MAKERS = (
    Style("sim-maker-near", 1.0, (60, 160), 0.3, (1.0, 3.0), 0.5),
    Style("sim-maker-far", 2.4, (90, 240), 0.9, (2.0, 5.0), 0.6),
)

# Real seconds between trades anywhere, and until someone trades with a customer's order at the touch.
_TAKE_EVERY_S = 1.5
_MEET_EVERY_S = 7.0
_MEET_LOOK_S = 0.5
_MEET_FROM_TOUCH = 1 * CENT
_NEWS_EVERY_MS = 1000
_OPINION_EVERY_S = 20.0
# When a forecast moves an event by this many cents, this share of times the crowd stays behind for a while.
_LATE_FROM, _LATE_MAX, _LATE_SHARE, _LATE_FOR_S = 2.0, 5.0, 0.7, (40.0, 100.0)
_MOVE_FROM = 0.75
"""Cents the wanted price must lie from a quote's before it is moved: people do not chase half ticks."""


class _Quote(msgspec.Struct):
    order: Order | None = None
    size: int = 0


class _Desk(msgspec.Struct):
    """One maker in one market."""

    style: Style
    listed: Listing
    ticker: str
    opinion: float
    opinion_until_ms: int
    quotes: dict[BookSide, _Quote] = msgspec.field(
        default_factory=lambda: {BookSide.BID: _Quote(), BookSide.ASK: _Quote()}
    )


class Traders:
    """Quotes, refills and takes. ``customers`` are accounts whose resting orders people trade with."""

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
        self.beliefs, self.customers = beliefs, set[str]()
        self.on_requote: list[Callable[[Listing], None]] = []
        """Who else quotes what this crowd believes, told when everybody reprices an event."""
        self._exchange, self._world, self._real, self._rng, self._moves = exchange, world, real, rng, moves
        self._desks: dict[str, list[_Desk]] = {}
        self._due: list[tuple[int, int, _Desk]] = []
        self._sequence = 0
        self._planned: dict[str, float] = {}
        self._catch_up: dict[str, int] = {}
        self._next_take_ms = self._next_meet_ms = self._next_news_ms = 0
        for account in (*(style.account for style in MAKERS), TAKERS):
            exchange.open_account(account, DEEP_POCKETS)

    def enter(self, listed: Listing) -> None:
        """Quote both sides of a new event at once."""
        fair = self.beliefs.fair(listed)
        for ticker in listed.tickers:
            self._desks[ticker] = [_Desk(style, listed, ticker, 0.0, 0) for style in MAKERS]
            for desk in self._desks[ticker]:
                self._quote(desk, fair[ticker])
                self._look_again(desk)

    def hear(self, *, read: bool) -> None:
        """Where a new forecast is out: everyone reprices at once, in some events not by all of it."""
        world_ms = self._world.now_ms()
        if not self._moves or not self.beliefs.news(world_ms, read=read):
            return
        listings = self._world.open_listings()
        moved = self.beliefs.hear(listings, world_ms)
        for listed in listings:
            event = listed.event_ticker
            change = moved[event].change * 100 if event in moved else 0.0
            planned = self._planned.pop(event, None)
            if planned is not None:
                self.beliefs.set_lag(listed, planned)
            elif change >= _LATE_FROM and self._rng.random() < _LATE_SHARE:
                self.beliefs.set_lag(listed, min(_LATE_MAX, change))
                self._catch_up[event] = self._real.wall_ms() + int(self._rng.uniform(*_LATE_FOR_S) * 1000)
            self.requote(listed)

    def look(self, station: str, *, read: bool) -> None:
        """Where a station has reported: the makers of its running event reprice."""
        world_ms = self._world.now_ms()
        if self._moves and self.beliefs.look(station, world_ms, read=read):
            day = climate_day(self._world.weather.stations[station], world_ms)
            for listed in self._world.open_listings():
                if listed.station == station and listed.day == day:
                    self.requote(listed)

    def lag(self, listed: Listing, cents: float) -> None:
        """Lag ``cents`` behind the event's last forecast, or the next where one is still unheard."""
        self._catch_up.pop(listed.event_ticker, None)
        world_ms = self._world.now_ms()
        if self._moves and self.beliefs.unheard(world_ms):
            self._planned[listed.event_ticker] = cents
        else:
            self.beliefs.set_lag(listed, cents)
            self.requote(listed)

    def undersell(self, listed: Listing, cents: float) -> None:
        """Price everything in an event so far under what it is worth, or with 0 at that again."""
        self.beliefs.undersell(listed, cents)
        self.requote(listed)

    def requote(self, listed: Listing) -> None:
        """Every maker of an event reprices now: news everybody saw at once."""
        fair = self.beliefs.fair(listed)
        # All old prices leave before new ones come, or the first to move would queue behind the last.
        for ticker in listed.tickers:
            for desk in self._desks.get(ticker, ()):
                for side, wanted in _wanted(desk, fair[ticker]):
                    self._pull(desk, side, wanted)
        for ticker in listed.tickers:
            for desk in self._desks.get(ticker, ()):
                self._quote(desk, fair[ticker])
        for told in self.on_requote:
            told(listed)

    def step(self) -> None:
        """Do what is due by now."""
        if not self._moves:
            return
        now_ms, world_ms = self._real.wall_ms(), self._world.now_ms()
        for _ in range(_BURST_MAX):
            if not self._due or self._due[0][0] > now_ms:
                break
            desk = heapq.heappop(self._due)[2]
            if world_ms >= desk.listed.close_ms:
                self._desks.pop(desk.ticker, None)
                continue
            self._form_opinion(desk, now_ms)
            self._quote(desk, self.beliefs.fair(desk.listed)[desk.ticker])
            self._look_again(desk)
        if now_ms >= self._next_take_ms:
            self._next_take_ms = now_ms + int(self._rng.expovariate(1 / _TAKE_EVERY_S) * 1000)
            self._take_something()
        if now_ms >= self._next_meet_ms:
            self._next_meet_ms = now_ms + int(_MEET_LOOK_S * 1000)
            self._meet_customers()
        if now_ms >= self._next_news_ms:
            self._next_news_ms = now_ms + _NEWS_EVERY_MS
            self.hear(read=False)
            for station in self._world.weather.stations:
                self.look(station, read=False)
        for event in [event for event, until_ms in self._catch_up.items() if until_ms <= now_ms]:
            del self._catch_up[event]
            self.beliefs.set_lag(self._world.listings[event], 0.0)

    def customer_orders(self) -> list[Order]:
        """Every resting order of the customers."""
        accounts = [self._exchange.account(name) for name in sorted(self.customers)]
        return [
            o for account in accounts for working in account.open_orders.values() for o in working.values()
        ]

    def meet(self, order: Order, share: float) -> None:
        """Someone trades with a resting order: with all that queues before it, then ``share`` of it. Of
        several met in a row the first may have ended the others, as its fill triggered their group.
        """
        if order.status is not OrderStatus.RESTING:
            return
        ahead = self._exchange.book(order.ticker).ahead_of(order)
        count = math.ceil((ahead + order.remaining * share) / ONE_CONTRACT)
        self._take(order.ticker, order.side.opposite, order.price, count)

    # Makers

    def _form_opinion(self, desk: _Desk, now_ms: int) -> None:
        if now_ms >= desk.opinion_until_ms:
            desk.opinion = self._rng.uniform(-desk.style.opinion, desk.style.opinion)
            desk.opinion_until_ms = now_ms + int(self._rng.expovariate(1 / _OPINION_EVERY_S) * 1000)

    def _look_again(self, desk: _Desk) -> None:
        self._sequence += 1
        due = self._real.wall_ms() + int(self._rng.uniform(*desk.style.look_s) * 1000)
        heapq.heappush(self._due, (due, self._sequence, desk))

    def _quote(self, desk: _Desk, fair: float) -> None:
        sides = _wanted(desk, fair)
        # The side that retreats moves first, so that a maker never meets itself.
        resting = desk.quotes[BookSide.ASK].order
        if resting is not None and sides[1][1] * CENT > resting.price:
            sides.reverse()
        for side, wanted in sides:
            self._pull(desk, side, wanted)
            quote = desk.quotes[side]
            if quote.order is None:
                quote.size = self._rng.randint(*desk.style.size)
                quote.order = self._post(desk, side, Price(round(wanted) * CENT), quote.size)

    def _pull(self, desk: _Desk, side: BookSide, wanted: float) -> None:
        """Drop a quote that is gone, too far from the wanted price, or too small by now."""
        quote = desk.quotes[side]
        order = quote.order
        if order is None:
            return
        if order.status is OrderStatus.RESTING:
            near = abs(order.price / CENT - wanted) < _MOVE_FROM
            if near and order.remaining >= quote.size * desk.style.refill_below * ONE_CONTRACT:
                return
            self._exchange.cancel(desk.style.account, order.order_id)
        quote.order = None

    def _post(self, desk: _Desk, side: BookSide, price: Price, size: int) -> Order | None:
        """Rest a quote, one tick behind whatever it would meet."""
        book = self._exchange.book(desk.ticker)
        met = book.best_ask if side is BookSide.BID else book.best_bid
        if met is not None and side.sign * (price - met) >= 0:
            price = Price(met - side.sign * CENT)
        if not CENT <= price <= 99 * CENT:
            return None
        answer = self._exchange.place(
            OrderRequest(desk.style.account, desk.ticker, side, price, contracts(size), post_only=True)
        )
        return answer.order if isinstance(answer, Placed) else None

    # Takers

    def _take(self, ticker: str, side: BookSide, price: Price, count: int) -> None:
        self._exchange.place(OrderRequest(TAKERS, ticker, side, price, contracts(count), TimeInForce.IOC))

    def _take_something(self) -> None:
        """A small market order somewhere, in the livelier markets more often."""
        tickers = list(self._desks)
        if not tickers:
            return
        ticker = self._rng.choice(tickers)
        book, side = self._exchange.book(ticker), self._rng.choice((BookSide.BID, BookSide.ASK))
        touch = book.best_ask if side is BookSide.BID else book.best_bid
        # Contracts worth next to nothing attract few people.
        if touch is not None and self._rng.random() < 4 * touch * (10_000 - touch) / 10**8 + 0.1:
            self._take(ticker, side, touch, 1 + int(self._rng.expovariate(1 / 8)))

    def _meet_customers(self) -> None:
        chance = _MEET_LOOK_S / _MEET_EVERY_S
        for order in self.customer_orders():
            if self._near_touch(order) and self._rng.random() < chance:
                self.meet(order, self._rng.choice((0.4, 1.0, 1.0)))

    def _near_touch(self, order: Order) -> bool:
        book = self._exchange.book(order.ticker)
        best = book.best_bid if order.side is BookSide.BID else book.best_ask
        return best is not None and abs(best - order.price) <= _MEET_FROM_TOUCH


def _wanted(desk: _Desk, fair: float) -> list[tuple[BookSide, float]]:
    """The bid and the ask a maker would like to show, in cents; both sides always exist."""
    value = fair * 100 + desk.opinion
    bid = max(1.0, min(98.0, value - desk.style.half_spread))
    ask = min(99.0, max(2.0, value + desk.style.half_spread))
    return [(BookSide.BID, bid), (BookSide.ASK, ask)]
