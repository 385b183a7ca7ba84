"""Fifteen-minute markets on the bitcoin index: listed, quoted and settled from this world's own prices.

Each quarter of an hour has one event with one market: whether the mean of the index over the window's last
minute is at or above the mean over the minute before the window. The crowd takes the index for a random walk
of its usual volatility. What settles is computed from the same path that the index channel and the exchanges
show.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money, Price, contracts
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.exchange import BookSide, Exchange, OrderRequest, Placed
from core.sim.orders import Order, OrderStatus
from core.sim.prices import Prices

SERIES = "KXBTC15M"
INDEX = "BRTI"
SOURCE = Source("CF Benchmarks", "https://www.cfbenchmarks.com/data/indices/BRTI")
MAKER = "sim-quarter-maker"
QUARTER_MS, MINUTE_MS, SECOND_MS = 900_000, 60_000, 1_000
DETERMINED_AFTER_MS = 5_000
"""World time after the close; paid a minute later."""
SETTLEMENT_TIMER_S = 60

_NEW_YORK = ZoneInfo("America/New_York")
_POCKETS = Money(10**15)
_YEAR_S = 365.25 * 86_400
_VOLATILITY = 0.45
_HALF_SPREAD_CENTS = 1.5
_SIZE = 100
_LOOK_EVERY_MS = 2_000
"""Real time between two looks of the maker."""


class Quarter(msgspec.Struct, frozen=True):
    """One window. ``target`` is what its mean is compared with, dollars."""

    event_ticker: str
    ticker: str
    open_ms: int
    close_ms: int
    target: float


def mean_before(prices: Prices, end_ms: int) -> float:
    """Mean of the sixty values up to and with ``end_ms``, to the cent."""
    values = [prices.value(INDEX, end_ms - n * SECOND_MS) for n in range(MINUTE_MS // SECOND_MS)]
    return round(math.fsum(values) / len(values), 2)


def quarter_at(prices: Prices, at_ms: int) -> Quarter:
    """The window that runs at a moment of world time."""
    open_ms = at_ms // QUARTER_MS * QUARTER_MS
    close_ms = open_ms + QUARTER_MS
    end = datetime.fromtimestamp(close_ms / 1000, _NEW_YORK)
    event = f"{SERIES}-{end:%y}{end:%b}{end:%d%H%M}".upper()
    return Quarter(event, f"{event}-{end:%M}", open_ms, close_ms, mean_before(prices, open_ms))


def event_spec(of: Quarter) -> EventSpec:
    """The event as the exchange publishes it; texts are our own."""
    end = datetime.fromtimestamp(of.close_ms / 1000, UTC)
    market = MarketSpec(
        ticker=of.ticker,
        event_ticker=of.event_ticker,
        series_ticker=SERIES,
        title="BTC price up in the next 15 minutes?",
        yes_sub_title=f"${of.target:,.2f} or above",
        no_sub_title=f"under ${of.target:,.2f}",
        strike_type="greater_or_equal",
        floor_strike=of.target,
        open_ms=of.open_ms,
        close_ms=of.close_ms,
        settlement_timer_s=SETTLEMENT_TIMER_S,
        expected_expiration_ms=of.close_ms + DETERMINED_AFTER_MS,
        latest_expiration_ms=of.close_ms + 7 * 86_400_000,
        rules_primary=(
            f"Yes if the simple average of the CF Benchmarks Bitcoin Real-Time Index (BRTI) over "
            f"the 60 seconds before {end:%H:%M} UTC on {end:%b} {end.day}, {end.year} is at or above "
            f"{of.target:.2f}."
        ),
        rules_secondary="Simulated: settles on this world's own index.",
    )
    return EventSpec(
        event_ticker=of.event_ticker,
        series_ticker=SERIES,
        title="BTC price up in the next 15 minutes?",
        sub_title=f"Window to {end:%H:%M} UTC",
        markets=(market,),
        strike_date_ms=of.close_ms,
        settlement_sources=(SOURCE,),
    )


def crowd(spot: float, of: Quarter, now_ms: int) -> float:
    """What the crowd gives YES: the final minute counts as two thirds over."""
    left_s = max(1.0, (of.close_ms - now_ms - MINUTE_MS * 2 / 3) / 1000)
    away = math.log(of.target / spot) / (_VOLATILITY * math.sqrt(left_s / _YEAR_S))
    return 0.5 * math.erfc(away / math.sqrt(2))


class Quarters:
    """Driven by ``step``; lists the running window, quotes it, and settles those that are over."""

    def __init__(self, exchange: Exchange, prices: Prices, real: Clock, world: WorldClock) -> None:
        self._exchange, self._prices, self._real, self._world = exchange, prices, real, world
        self._running: Quarter | None = None
        self._over: list[Quarter] = []
        self._quotes: dict[BookSide, Order] = {}
        self._next_ms = 0
        exchange.open_account(MAKER, _POCKETS)
        exchange.list_series(
            SeriesSpec(
                SERIES, "BTC up or down, 15 minutes", "Crypto", frequency="fifteen_min",
                settlement_sources=(SOURCE,),
            )
        )  # fmt: skip

    def step(self) -> None:
        """Bring the series up to now, after the exchange has been."""
        real_ms = self._real.wall_ms()
        now_ms = self._world.at(real_ms)
        for done in [of for of in self._over if of.close_ms + DETERMINED_AFTER_MS <= now_ms]:
            self._over.remove(done)
            self._determine(done)
        if self._running is None or self._running.close_ms <= now_ms:
            if self._running is not None:
                self._over.append(self._running)
            self._running, self._next_ms = quarter_at(self._prices, now_ms), real_ms
            self._quotes.clear()
            self._exchange.list_event(event_spec(self._running))
        if real_ms >= self._next_ms:
            self._next_ms = real_ms + _LOOK_EVERY_MS
            self._quote(self._running, now_ms)

    def _determine(self, of: Quarter) -> None:
        settled = mean_before(self._prices, of.close_ms)
        self._exchange.determine(of.ticker, "yes" if settled >= of.target else "no", f"{settled:.2f}")

    def _quote(self, of: Quarter, now_ms: int) -> None:
        value = crowd(self._prices.value(INDEX, now_ms), of, now_ms) * 100
        bid = min(98, max(1, math.floor(value - _HALF_SPREAD_CENTS)))
        wanted = {
            BookSide.BID: bid,
            BookSide.ASK: min(99, max(bid + 1, math.ceil(value + _HALF_SPREAD_CENTS))),
        }
        moved = {side for side, cents in wanted.items() if not self._stands(side, Price(cents * 100))}
        for side in moved:
            held = self._quotes.pop(side, None)
            if held is not None and held.status is OrderStatus.RESTING:
                self._exchange.cancel(MAKER, held.order_id)
        for side in moved:
            answer = self._exchange.place(
                OrderRequest(
                    MAKER, of.ticker, side, Price(wanted[side] * 100), contracts(_SIZE), post_only=True
                )
            )
            if isinstance(answer, Placed):
                self._quotes[side] = answer.order

    def _stands(self, side: BookSide, price: Price) -> bool:
        held = self._quotes.get(side)
        if held is None or held.status is not OrderStatus.RESTING:
            return False
        return held.price == price and held.remaining * 2 >= contracts(_SIZE)
