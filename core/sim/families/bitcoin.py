"""Fifteen-minute markets on the bitcoin index: whether the mean of its last minute reaches a fixed target.

The target is the mean over the minute before trading opens. At the pace of the clock on the wall that is
where the quarter begins, as at the exchange. A fast world would be over with a quarter before anybody has
read it: there only every so-manieth is listed, and it opens so much earlier that it trades for a real minute.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from core.sim.chance import heavy_below
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.families.family import Outcome
from core.sim.prices import Prices

SERIES = "KXBTC15M"
INDEX = "BRTI"
SOURCE = Source("CF Benchmarks", "https://www.cfbenchmarks.com/data/indices/BRTI")
QUARTER_MS, MINUTE_MS, SECOND_MS = 900_000, 60_000, 1_000
DETERMINED_AFTER_MS = 5_000
"""World time after the close; paid a minute later."""
SETTLEMENT_TIMER_S = 60
TRADES_S, APART_S = 60.0, 20.0
"""Real seconds a market trades for at least, and from one's end to the next one's."""

_NEW_YORK = ZoneInfo("America/New_York")
_YEAR_S = 365.25 * 86_400
_VOLATILITY = 0.45


class Pace(msgspec.Struct, frozen=True):
    """Every which quarter is listed, and how many before its end it opens."""

    every: int
    trades: int


def pace(speed: float) -> Pace:
    """Of a world so many times as fast as the clock on the wall."""
    return Pace(
        max(1, math.ceil(APART_S * speed * SECOND_MS / QUARTER_MS)),
        max(1, math.ceil(TRADES_S * speed * SECOND_MS / QUARTER_MS)),
    )


class Quarter(msgspec.Struct, frozen=True):
    """One market, trading from ``open_ms``. ``target`` is what its last minute's mean must reach, dollars."""

    event_ticker: str
    ticker: str
    open_ms: int
    close_ms: int
    target: float
    prices: Prices

    @property
    def determined_ms(self) -> int:
        return self.close_ms + DETERMINED_AFTER_MS

    @property
    def spec(self) -> EventSpec:
        end = datetime.fromtimestamp(self.close_ms / 1000, UTC)
        title = f"Bitcoin at {self.target:,.2f} or above at {end:%H:%M} UTC?"
        market = MarketSpec(
            ticker=self.ticker,
            event_ticker=self.event_ticker,
            series_ticker=SERIES,
            title=title,
            yes_sub_title=f"${self.target:,.2f} or above",
            no_sub_title=f"under ${self.target:,.2f}",
            strike_type="greater_or_equal",
            floor_strike=self.target,
            open_ms=self.open_ms,
            close_ms=self.close_ms,
            settlement_timer_s=SETTLEMENT_TIMER_S,
            expected_expiration_ms=self.determined_ms,
            latest_expiration_ms=self.close_ms + 7 * 86_400_000,
            rules_primary=(
                f"Yes if the simple average of the CF Benchmarks Bitcoin Real-Time Index (BRTI) over "
                f"the 60 seconds before {end:%H:%M} UTC on {end:%b} {end.day}, {end.year} is at or above "
                f"{self.target:.2f}."
            ),
            rules_secondary="Simulated: settles on this world's own index.",
        )
        return EventSpec(
            event_ticker=self.event_ticker,
            series_ticker=SERIES,
            title=title,
            sub_title=f"Window to {end:%H:%M} UTC",
            markets=(market,),
            strike_date_ms=self.close_ms,
            settlement_sources=(SOURCE,),
        )

    def chances(self, now_ms: int) -> tuple[float, ...]:
        """Walks of the index's usual volatility with the tails that coins have; the final minute counts as
        two thirds over."""
        left_s = max(1.0, (self.close_ms - now_ms - MINUTE_MS * 2 / 3) / SECOND_MS)
        spot = self.prices.value(INDEX, now_ms)
        away = math.log(self.target / spot) / (_VOLATILITY * math.sqrt(left_s / _YEAR_S))
        return (heavy_below(-away),)

    def outcome(self) -> Outcome:
        settled = mean_before(self.prices, self.close_ms)
        return Outcome((settled >= self.target,), f"{settled:.2f}")


def mean_before(prices: Prices, end_ms: int) -> float:
    """Mean of the sixty values up to and with ``end_ms``, to the cent."""
    values = [prices.value(INDEX, end_ms - n * SECOND_MS) for n in range(MINUTE_MS // SECOND_MS)]
    return round(math.fsum(values) / len(values), 2)


class Bitcoin:
    """The series in a world of some pace. In a fast one a minute of the index is half a second."""

    look_every_ms = 250
    series = SeriesSpec(
        SERIES,
        "BTC up or down, 15 minutes",
        "Crypto",
        frequency="fifteen_min",
        settlement_sources=(SOURCE,),
    )

    def __init__(self, prices: Prices, speed: float) -> None:
        self._prices, self._pace = prices, pace(speed)

    def open(self, now_ms: int, listed: Container[str]) -> Iterator[Quarter]:
        apart_ms, trades_ms = self._pace.every * QUARTER_MS, self._pace.trades * QUARTER_MS
        close_ms = now_ms // apart_ms * apart_ms + apart_ms
        while close_ms - trades_ms <= now_ms:
            end = datetime.fromtimestamp(close_ms / 1000, _NEW_YORK)
            event = f"{SERIES}-{end:%y}{end:%b}{end:%d%H%M}".upper()
            if event not in listed:
                target = mean_before(self._prices, close_ms - trades_ms)
                yield Quarter(
                    event, f"{event}-{end:%M}", close_ms - trades_ms, close_ms, target, self._prices
                )
            close_ms += apart_ms
