"""Candles of every market: quotes and prints folded into minutes of real time as they happen."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from core.domain.units import ONE_DOLLAR, Price, Quantity
from core.sim.events import BookChanged, ExchangeEvent, Traded
from core.sim.orders import BookSide

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

MINUTES_MAX = 3_000
"""Minutes in which something happened that are remembered of a market; the oldest go first."""


class Range(msgspec.Struct):
    """First, highest, lowest and last price of a span."""

    open: Price
    high: Price
    low: Price
    close: Price

    def add(self, low: Price, high: Price, close: Price) -> None:
        self.low, self.high, self.close = min(self.low, low), max(self.high, high), close


class Candle(msgspec.Struct):
    """One span; ``end_s`` is its inclusive end. ``price`` is None where nothing traded."""

    end_s: int
    bid: Range
    ask: Range
    price: Range | None = None
    previous: Price | None = None
    """The last print before the span."""
    volume: Quantity = Quantity(0)
    turnover: int = 0
    """Price times count, for the mean."""
    open_interest: Quantity = Quantity(0)

    @property
    def mean(self) -> Price | None:
        return Price(self.turnover // self.volume) if self.volume else None


class Candles:
    """Listens to one exchange from now on."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._minutes: dict[str, deque[Candle]] = {}
        exchange.listeners.append(self._on_event)

    def of(self, ticker: str, start_s: int, end_s: int, minutes: int) -> list[Candle]:
        """Candles of ``minutes`` each that end between the two, oldest first; idle spans are left out."""
        span_s = minutes * 60
        merged: list[Candle] = []
        for minute in self._minutes.get(ticker, ()):
            end = -(-minute.end_s // span_s) * span_s
            if not start_s <= end <= end_s:
                continue
            if merged and merged[-1].end_s == end:
                _merge(merged[-1], minute)
            else:
                merged.append(_copy(minute, end))
        return merged

    def before(self, ticker: str, start_s: int, minutes: int) -> Candle | None:
        """What was so at the start: a candle without trades that ends with the first span after it."""
        earlier = [minute for minute in self._minutes.get(ticker, ()) if minute.end_s < start_s]
        if not earlier:
            return None
        last = earlier[-1]
        price = last.price.close if last.price is not None else last.previous
        bid, ask, span_s = last.bid.close, last.ask.close, minutes * 60
        end_s = (start_s // span_s + 1) * span_s
        return Candle(
            end_s, Range(bid, bid, bid, bid), Range(ask, ask, ask, ask), None, price,
            open_interest=last.open_interest,
        )  # fmt: skip

    def _on_event(self, event: ExchangeEvent) -> None:
        match event:
            case BookChanged():
                self._minute(event.ticker, event.ts_ms)
            case Traded():
                self._trade(self._minute(event.ticker, event.ts_ms), event)

    def _minute(self, ticker: str, ts_ms: int) -> Candle:
        """This minute's candle with the quotes as they are now."""
        book, end_s = self._exchange.books[ticker], (ts_ms // 60_000 + 1) * 60
        bid = book.best(BookSide.BID) or Price(0)
        ask = book.best(BookSide.ASK) or ONE_DOLLAR
        kept = self._minutes.get(ticker)
        if kept is None:
            kept = self._minutes[ticker] = deque(maxlen=MINUTES_MAX)
        last = kept[-1] if kept else None
        if last is not None and last.end_s == end_s:
            last.bid.add(bid, bid, bid)
            last.ask.add(ask, ask, ask)
            return last
        previous = None
        if last is not None:
            previous = last.price.close if last.price is not None else last.previous
        candle = Candle(end_s, Range(bid, bid, bid, bid), Range(ask, ask, ask, ask), None, previous)
        candle.open_interest = self._exchange.markets[ticker].open_interest
        kept.append(candle)
        return candle

    def _trade(self, minute: Candle, event: Traded) -> None:
        price = event.price
        if minute.price is None:
            minute.price = Range(price, price, price, price)
        else:
            minute.price.add(price, price, price)
        minute.volume = Quantity(minute.volume + event.count)
        minute.turnover += price * event.count
        minute.open_interest = self._exchange.markets[event.ticker].open_interest


def _copy(of: Candle, end_s: int) -> Candle:
    price = None if of.price is None else msgspec.structs.replace(of.price)
    return msgspec.structs.replace(
        of, end_s=end_s, bid=msgspec.structs.replace(of.bid), ask=msgspec.structs.replace(of.ask), price=price
    )


def _merge(into: Candle, more: Candle) -> None:
    into.bid.add(more.bid.low, more.bid.high, more.bid.close)
    into.ask.add(more.ask.low, more.ask.high, more.ask.close)
    if more.price is not None:
        if into.price is None:
            into.price = msgspec.structs.replace(more.price)
        else:
            into.price.add(more.price.low, more.price.high, more.price.close)
    into.volume = Quantity(into.volume + more.volume)
    into.turnover += more.turnover
    into.open_interest = more.open_interest
