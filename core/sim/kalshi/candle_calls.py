"""Candlesticks of one market, of many, of an event. Kalshi API: candlesticks."""

from __future__ import annotations

from core.domain.units import Price, price_text, quantity_text
from core.sim.candles import Candle, Range
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import invalid_parameter, not_found
from core.sim.kalshi.shapes import Wire

PERIODS = (1, 60, 1440)
"""Minutes."""
MARKETS_MAX = 100
CANDLES_MAX = 10_000
"""Candles of all markets of one answer."""
EVENT_CANDLES_MAX = 5_000
"""The same of an event, whose range is shortened instead of refused."""


def one_market(call: Call) -> Answer:
    ticker, series = call.path["ticker"], call.path["series_ticker"]
    market = call.exchange.markets.get(ticker)
    if market is None or market.spec.series_ticker != series:
        raise not_found("market")
    return Answer({"ticker": ticker, "candlesticks": _live(call, ticker)})


def many_markets(call: Call) -> Answer:
    tickers = call.words("market_tickers", most=MARKETS_MAX)
    if not tickers:
        raise invalid_parameter("market_tickers is required")
    known = [ticker for ticker in tickers if ticker in call.exchange.markets]
    rows = [{"market_ticker": ticker, "candlesticks": _live(call, ticker)} for ticker in known]
    if sum(len(row["candlesticks"]) for row in rows) > CANDLES_MAX:
        raise invalid_parameter(f"over {CANDLES_MAX} candlesticks: ask for a shorter span or fewer markets")
    return Answer({"markets": rows})


def one_event(call: Call) -> Answer:
    event = call.exchange.events.get(call.path["ticker"])
    if event is None or event.series_ticker != call.path["series_ticker"]:
        raise not_found("event")
    start_s, end_s, minutes = candle_span(call)
    tickers = [spec.ticker for spec in event.markets]
    by_market = [call.venue.candles.of(ticker, start_s, end_s, minutes) for ticker in tickers]
    ends = sorted(candle.end_s for candles in by_market for candle in candles)
    if len(ends) > EVENT_CANDLES_MAX:
        end_s = ends[EVENT_CANDLES_MAX - 1]
    shown = [[live_candle(c) for c in candles if c.end_s <= end_s] for candles in by_market]
    return Answer({"market_tickers": tickers, "market_candlesticks": shown, "adjusted_end_ts": end_s})


def candle_span(call: Call) -> tuple[int, int, int]:
    """Start and end in Unix seconds and the period in minutes; all are required."""
    start_s, end_s = call.number("start_ts"), call.number("end_ts")
    minutes = call.number("period_interval")
    if start_s is None or end_s is None or minutes not in PERIODS:
        raise invalid_parameter("start_ts, end_ts and a period_interval of 1, 60 or 1440 are required")
    if end_s < start_s:
        raise invalid_parameter("end_ts is before start_ts")
    return start_s, end_s, minutes


def live_candle(of: Candle) -> Wire:
    return {
        "end_period_ts": of.end_s,
        "yes_bid": _range(of.bid, "_dollars"),
        "yes_ask": _range(of.ask, "_dollars"),
        "price": _prices(of, "_dollars"),
        "volume_fp": quantity_text(of.volume),
        "open_interest_fp": quantity_text(of.open_interest),
    }


def historical_candle(of: Candle) -> Wire:
    """The same without suffixes."""
    return {
        "end_period_ts": of.end_s,
        "yes_bid": _range(of.bid, ""),
        "yes_ask": _range(of.ask, ""),
        "price": _prices(of, ""),
        "volume": quantity_text(of.volume),
        "open_interest": quantity_text(of.open_interest),
    }


def _live(call: Call, ticker: str) -> list[Wire]:
    start_s, end_s, minutes = candle_span(call)
    candles = call.venue.candles.of(ticker, start_s, end_s, minutes)
    if call.flag("include_latest_before_start"):
        first = call.venue.candles.before(ticker, start_s, minutes)
        candles = [*([first] if first is not None else []), *candles]
    return [live_candle(candle) for candle in candles]


def _range(of: Range, suffix: str) -> Wire:
    named = {"open": of.open, "high": of.high, "low": of.low, "close": of.close}
    return {f"{name}{suffix}": price_text(price) for name, price in named.items()}


def _prices(of: Candle, suffix: str) -> Wire:
    """Null where nothing traded."""
    traded = (
        _range(of.price, suffix)
        if of.price is not None
        else {f"{name}{suffix}": None for name in ("open", "high", "low", "close")}
    )
    return {**traded, f"mean{suffix}": _text(of.mean), f"previous{suffix}": _text(of.previous)}


def _text(price: Price | None) -> str | None:
    return None if price is None else price_text(price)
