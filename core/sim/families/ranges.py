"""Ranges of a price at a stated time: the S&P 500 at its close, the euro at ten in the morning.

A series is a row of ``SERIES``. Brackets are laid around the price at which trading opens, in whole widths;
the crowd takes the price for a random walk of the volatility it has, over the hours in which it trades. Of
each event it has a hunch that is right no oftener than wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from core.sim.chance import below, normal
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.families.family import Outcome
from core.sim.new_york import DAY_MS, at, local_ms
from core.sim.prices import Prices

_MINUTE_MS = 60_000
_WEEKDAYS = 5
_DAYS_AHEAD = 4
"""Over a weekend the next value is so many days away."""
_HUNCH = 0.5
"""Standard deviation of hunches, in standard deviations of what is still open."""

Hunch = Callable[[str], float]
"""By how many standard deviations of what is still open the crowd takes an event's value too high."""


def hunches(seed: int) -> Hunch:
    """Those of one world."""
    return lambda event_ticker: _HUNCH * normal(f"{seed}|hunch|{event_ticker}")


def no_hunch(event_ticker: str) -> float:
    return 0.0


class RangeSeries(msgspec.Struct, frozen=True):
    """One series as data. Levels are whole numbers of ``10 ** -decimals``, the last digit of its strikes."""

    ticker: str
    thing: str
    reading: str
    """Whose reading of the price counts; empty for the price itself."""
    title: str
    category: str
    hour: int
    """New York's full hour of the value, Monday to Friday."""
    stamp: str
    """That hour as event tickers have it."""
    decimals: int
    width: int
    between: int
    """Brackets that are closed on both ends; a tail on either side."""
    opens_after_ms: int
    """From one value to the opening of the next one's markets."""
    determined_after_ms: int
    source: Source
    question: str
    rules: str
    """``{words}``, ``{day}`` and ``{source}`` are filled in."""
    fee_multiplier: float = 1.0


SERIES = (
    RangeSeries(
        "KXINX", "SPX", "", "S&P 500 range", "Financials", 16, "H1600", 4, 250_000, 8, 30 * _MINUTE_MS,
        15 * _MINUTE_MS, Source("S&P Dow Jones Indices", "https://www.spglobal.com/spdji/en/indices/equity/sp-500/"),
        "S&P 500 {words} at the close of {day}?",
        "Yes if the S&P 500 index closes at {words} on {day} (4:00 PM ET), according to {source}.", 0.5,
    ),
    RangeSeries(
        "KXEURUSD", "EUR/USD", "pyth", "EUR/USD range", "Financials", 10, "10", 5, 200, 8, 5 * _MINUTE_MS,
        _MINUTE_MS, Source("Pyth Network", "https://www.pyth.network/price-feeds"),
        "EUR/USD {words} at 10 AM ET on {day}?",
        "Yes if the open price of EUR/USD at 10:00:00 AM ET on {day} is {words}, according to {source}.",
    ),
)  # fmt: skip


class Band(msgspec.Struct, frozen=True):
    """Levels that pay YES, from ``low`` up to ``high``, both included; ``None`` is an open end."""

    low: int | None
    high: int | None

    def pays(self, level: int) -> bool:
        return (self.low is None or level >= self.low) and (self.high is None or level <= self.high)


def bands(level: int, width: int, between: int) -> tuple[Band, ...]:
    """So many brackets of whole widths around a level, a tail on either side, lowest first."""
    first = (level // width - between // 2) * width
    middle = [Band(low, low + width - 1) for low in range(first, first + between * width, width)]
    return (Band(None, first - 1), *middle, Band(first + between * width, None))


class Range(msgspec.Struct, frozen=True):
    """One day's event of a series."""

    of: RangeSeries
    event_ticker: str
    day: date
    open_ms: int
    close_ms: int
    ladder: tuple[Band, ...]
    prices: Prices
    hunch: Hunch = no_hunch

    @property
    def determined_ms(self) -> int:
        return self.close_ms + self.of.determined_after_ms

    @property
    def spec(self) -> EventSpec:
        of, day = self.of, f"{self.day:%b} {self.day.day}, {self.day.year}"
        markets = tuple(
            MarketSpec(
                ticker=f"{self.event_ticker}-{_suffix(band, of)}",
                event_ticker=self.event_ticker,
                series_ticker=of.ticker,
                title=of.question.format(words=_words(band, of), day=day),
                yes_sub_title=_words(band, of),
                open_ms=self.open_ms,
                close_ms=self.close_ms,
                settlement_timer_s=1800,
                expected_expiration_ms=self.determined_ms,
                latest_expiration_ms=self.close_ms + 7 * DAY_MS,
                rules_primary=of.rules.format(words=_words(band, of), day=day, source=of.source.name),
                rules_secondary="Simulated: settles on this world's own price.",
                **_strike(band, of),
            )
            for band in self.ladder
        )
        return EventSpec(
            event_ticker=self.event_ticker,
            series_ticker=of.ticker,
            title=of.title,
            sub_title=f"On {day}",
            markets=markets,
            mutually_exclusive=True,
            strike_date_ms=self.close_ms,
            settlement_sources=(of.source,),
        )

    def chances(self, now_ms: int) -> tuple[float, ...]:
        spot = self.prices.value(self.of.thing, now_ms)
        deviation = max(1e-6, self.prices.deviation(self.of.thing, now_ms, self.close_ms))
        off = self.hunch(self.event_ticker)

        def under(level: int) -> float:
            return below(math.log((level - 0.5) / 10**self.of.decimals / spot) / deviation - off)

        return tuple(
            (1.0 if band.high is None else under(band.high + 1))
            - (0.0 if band.low is None else under(band.low))
            for band in self.ladder
        )

    def outcome(self) -> Outcome:
        value = self.prices.value(self.of.thing, self.close_ms, self.of.reading)
        level = round(value * 10**self.of.decimals)
        decimals = self.prices.things[self.of.thing].decimals
        return Outcome(tuple(band.pays(level) for band in self.ladder), f"{value:.{decimals}f}")


class Ranges:
    """One series in one world."""

    look_every_ms = 1_000

    def __init__(self, of: RangeSeries, prices: Prices, hunch: Hunch = no_hunch) -> None:
        self._of, self._prices, self._hunch = of, prices, hunch
        self.series = SeriesSpec(
            of.ticker,
            of.title,
            of.category,
            fee_multiplier=of.fee_multiplier,
            settlement_sources=(of.source,),
        )

    def open(self, now_ms: int, listed: Container[str]) -> Iterator[Range]:
        of, today = self._of, datetime.fromtimestamp(local_ms(now_ms) / 1000, UTC).date()
        for day in (today + timedelta(days=n) for n in range(_DAYS_AHEAD)):
            opens_ms, close_ms = _opens_ms(of, day), at(day, of.hour)
            event = f"{of.ticker}-{day:%y}{day:%b}{day:%d}{of.stamp}".upper()
            if day.weekday() < _WEEKDAYS and opens_ms <= now_ms < close_ms and event not in listed:
                level = round(self._prices.value(of.thing, opens_ms) * 10**of.decimals)
                ladder = bands(level, of.width, of.between)
                yield Range(of, event, day, opens_ms, close_ms, ladder, self._prices, self._hunch)


def _opens_ms(of: RangeSeries, day: date) -> int:
    before = day - timedelta(days=3 if day.weekday() == 0 else 1)
    return at(before, of.hour) + of.opens_after_ms


def _number(level: int, of: RangeSeries) -> str:
    return f"{level / 10**of.decimals:,.{of.decimals}f}".rstrip("0").rstrip(".")


def _words(band: Band, of: RangeSeries) -> str:
    if band.low is None:
        assert band.high is not None
        return f"{_number(band.high, of)} or below"
    low = _number(band.low, of)
    return f"{low} or above" if band.high is None else f"{low} to {_number(band.high, of)}"


def _suffix(band: Band, of: RangeSeries) -> str:
    """A tail by its strict bound, a bracket by its middle."""
    if band.low is None or band.high is None:
        bound = band.low - 1 if band.low is not None else (band.high or 0) + 1
        return f"T{_number(bound, of)}".replace(",", "")
    return f"B{_number((band.low + band.high + 1) // 2, of)}".replace(",", "")


def _strike(band: Band, of: RangeSeries) -> dict[str, Any]:
    """Strike fields; the tails are strict."""
    scale = 10**of.decimals
    if band.low is None:
        assert band.high is not None
        return {"strike_type": "less", "cap_strike": (band.high + 1) / scale}
    if band.high is None:
        return {"strike_type": "greater", "floor_strike": (band.low - 1) / scale}
    return {"strike_type": "between", "floor_strike": band.low / scale, "cap_strike": band.high / scale}
