"""Candlesticks: live ones, whose fields end in ``_dollars`` and ``_fp``, and historical ones without.

Both are dollar and count texts. A candle's time is its inclusive end (Kalshi API: candlesticks).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.units import ONE_DOLLAR, Price, Quantity, UnitError, parse_price
from core.venues.kalshi import endpoints as ep
from core.venues.limiter import Priority
from core.venues.reader import Parameters, Reader, Window
from core.venues.venue import Incomplete
from core.venues.wire import SECOND_MS, Name, Odd, WireError, quantity, unix_ms

CANDLES_MAX: Final = 10_000
MARKETS_MAX: Final = 100
"""Both of one call for several markets."""


class Period(enum.Enum):
    """Length of a candle in minutes."""

    MINUTE = 1
    HOUR = 60
    DAY = 1_440


class Range(msgspec.Struct, frozen=True):
    """How a price moved within a candle, in YES terms; 0 and 1 dollar stand for nobody being there."""

    open: Price
    high: Price
    low: Price
    close: Price


class Candle(msgspec.Struct, frozen=True):
    end_ms: int
    bid: Range
    ask: Range
    trades: Range | None
    """``None`` when nothing traded."""
    volume: Quantity
    open_interest: Quantity


class LiveRange(msgspec.Struct, frozen=True, rename=lambda field: f"{field}_dollars"):
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None


class OldRange(msgspec.Struct, frozen=True):
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None


_COUNTS: Final = {"volume": "volume_fp", "open_interest": "open_interest_fp"}


class LiveCandle(msgspec.Struct, frozen=True, rename=_COUNTS):
    end_period_ts: int
    yes_bid: LiveRange
    yes_ask: LiveRange
    price: LiveRange
    volume: str
    open_interest: str


class OldCandle(msgspec.Struct, frozen=True):
    end_period_ts: int
    yes_bid: OldRange
    yes_ask: OldRange
    price: OldRange
    volume: str
    open_interest: str


class LiveCandles(msgspec.Struct, frozen=True):
    candlesticks: list[LiveCandle]


class OldCandles(msgspec.Struct, frozen=True):
    candlesticks: list[OldCandle]


class MarketCandles(msgspec.Struct, frozen=True):
    market_ticker: Name
    candlesticks: list[LiveCandle]


class ManyCandles(msgspec.Struct, frozen=True):
    markets: list[MarketCandles]


class EventCandles(msgspec.Struct, frozen=True):
    market_tickers: list[Name]
    market_candlesticks: list[list[LiveCandle]]
    adjusted_end_ts: int


class EventHistory(msgspec.Struct, frozen=True):
    """Candles of an event's markets; the venue may end sooner than asked."""

    markets: Mapping[str, tuple[Candle, ...]]
    until_ms: int


_live = msgspec.json.Decoder(LiveCandles)
_old = msgspec.json.Decoder(OldCandles)
_many = msgspec.json.Decoder(ManyCandles)
_event = msgspec.json.Decoder(EventCandles)


def _price(text: str, field: str) -> Price:
    try:
        value = parse_price(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 <= value <= ONE_DOLLAR:
        raise WireError(f"{field}: {text[:40]!r} is not between 0 and 1 dollar")
    return value


def _range(wire: LiveRange | OldRange, field: str) -> Range | None:
    texts = [text for text in (wire.open, wire.high, wire.low, wire.close) if text is not None]
    if not texts:
        return None
    if len(texts) < 4:
        raise WireError(f"{field}: a part of the range is missing")
    made = Range(*(_price(text, field) for text in texts))
    if not made.low <= min(made.open, made.close) <= max(made.open, made.close) <= made.high:
        raise WireError(f"{field}: its open or close lies outside of it")
    return made


def candle(wire: LiveCandle | OldCandle) -> Candle:
    """Raises ``WireError``."""
    bid, ask = _range(wire.yes_bid, "yes_bid"), _range(wire.yes_ask, "yes_ask")
    if bid is None or ask is None:
        raise WireError("candlestick: no quotes")
    return Candle(
        end_ms=unix_ms(wire.end_period_ts, "end_period_ts", SECOND_MS),
        bid=bid,
        ask=ask,
        trades=_range(wire.price, "price"),
        volume=quantity(wire.volume, "volume"),
        open_interest=quantity(wire.open_interest, "open_interest"),
    )


def _candles(rows: Sequence[LiveCandle] | Sequence[OldCandle]) -> tuple[Candle, ...]:
    if len(rows) > CANDLES_MAX:
        raise WireError(f"candlesticks: {len(rows)} of them")
    return tuple(candle(row) for row in rows)


def _span(window: Window, period: Period) -> Parameters:
    """All three are required. Raises ``ValueError`` for an open window."""
    if window.from_ms is None or window.until_ms is None:
        raise ValueError("candlesticks need both ends of their time span")
    return {
        "start_ts": window.from_ms // 1_000,
        "end_ts": -(-window.until_ms // 1_000),
        "period_interval": period.value,
    }


async def read_candles(
    reader: Reader, series: str, ticker: str, window: Window, period: Period, *, leading: bool = False
) -> tuple[Candle, ...] | Incomplete:
    """Candles of a live market; ``leading``: with the last one before the window."""
    query = _span(window, period)
    if leading:
        query["include_latest_before_start"] = "true"
    return await reader.one(
        ep.CANDLES,
        f"candlesticks of {ticker}",
        Priority.BACKGROUND,
        _live,
        lambda wire, odd: _candles(wire.candlesticks),
        path=ep.CANDLES.at(series_ticker=series, ticker=ticker),
        query=query,
    )


async def read_old_candles(
    reader: Reader, ticker: str, window: Window, period: Period
) -> tuple[Candle, ...] | Incomplete:
    """Candles of a market that settled before the venue's cutoff."""
    return await reader.one(
        ep.OLD_CANDLES,
        f"candlesticks of {ticker}",
        Priority.BACKGROUND,
        _old,
        lambda wire, odd: _candles(wire.candlesticks),
        path=ep.OLD_CANDLES.at(ticker=ticker),
        query=_span(window, period),
    )


async def read_candles_of_many(
    reader: Reader, tickers: Sequence[str], window: Window, period: Period
) -> Mapping[str, tuple[Candle, ...]] | Incomplete:
    """Candles by market, at most ``MARKETS_MAX`` a call; a market the venue leaves out has none."""
    found: dict[str, tuple[Candle, ...]] = {}
    for start in range(0, len(tickers), MARKETS_MAX):
        asked = ",".join(tickers[start : start + MARKETS_MAX])
        part = await reader.one(
            ep.MANY_CANDLES,
            "candlesticks",
            Priority.BACKGROUND,
            _many,
            lambda wire, odd: {row.market_ticker: _candles(row.candlesticks) for row in wire.markets},
            query=_span(window, period) | {"market_tickers": asked},
        )
        if isinstance(part, Incomplete):
            return part
        found |= part
    return found


def _of_event(wire: EventCandles, odd: Odd) -> EventHistory:
    if len(wire.market_tickers) != len(wire.market_candlesticks):
        raise WireError("market_candlesticks: not one list a market")
    rows = zip(wire.market_tickers, wire.market_candlesticks, strict=True)
    until_ms = unix_ms(wire.adjusted_end_ts, "adjusted_end_ts", SECOND_MS)
    return EventHistory({ticker: _candles(row) for ticker, row in rows}, until_ms)


async def read_candles_of_event(
    reader: Reader, series: str, event: str, window: Window, period: Period
) -> EventHistory | Incomplete:
    return await reader.one(
        ep.EVENT_CANDLES,
        f"candlesticks of {event}",
        Priority.BACKGROUND,
        _event,
        _of_event,
        path=ep.EVENT_CANDLES.at(series_ticker=series, ticker=event),
        query=_span(window, period),
    )
