"""What everybody can see: trades and tickers, from lists and from the stream.

The desk trades on books alone; tools read these.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity, UnitError, parse_price
from core.venues.http import Query
from core.venues.kalshi import endpoints as ep
from core.venues.limiter import Priority
from core.venues.reader import Reader, Window, windowed
from core.venues.venue import Incomplete
from core.venues.wire import Name, Odd, WireError, book_side, price, quantity, rfc3339_ms

PAGE: Final = 1_000
LATEST: Final = 20
"""Trades looked at for the last price: block trades among them say nothing about the book."""


class Trade(msgspec.Struct, frozen=True):
    """One public execution. Our own fill of it carries the same ``trade_id``."""

    trade_id: str
    ticker: str
    price: Price
    quantity: Quantity
    taker: BookSide
    at_ms: int
    block: bool
    """Agreed outside the book."""


class TradeWire(msgspec.Struct, frozen=True):
    """A trade in a list (``ticker``, ``created_time``) or a message (``market_ticker``, ``ts_ms``)."""

    trade_id: Name
    yes_price_dollars: str
    count_fp: str
    taker_book_side: str
    is_block_trade: bool = False
    ticker: Name | None = None
    market_ticker: Name | None = None
    created_time: object = None
    ts_ms: object = None


def trade(wire: TradeWire, odd: Odd) -> Trade:
    """Raises ``WireError``."""
    ticker = wire.market_ticker or wire.ticker
    if ticker is None:
        raise WireError("trade: no market ticker")
    at_ms = odd.moment(wire.ts_ms, "ts_ms")
    return Trade(
        trade_id=wire.trade_id,
        ticker=ticker,
        price=price(wire.yes_price_dollars, "yes_price_dollars"),
        quantity=quantity(wire.count_fp, "count_fp"),
        taker=book_side(wire.taker_book_side, "taker_book_side"),
        at_ms=rfc3339_ms(wire.created_time, "created_time") if at_ms is None else at_ms,
        block=wire.is_block_trade,
    )


class Ticker(msgspec.Struct, frozen=True):
    """The top of a market as the venue sums it up. Not sequenced: for display, never for quoting."""

    ticker: str
    bid: Price | None
    ask: Price | None
    bid_size: Quantity
    ask_size: Quantity
    last: Price | None
    volume: Quantity
    open_interest: Quantity
    at_ms: int | None


class TickerWire(msgspec.Struct, frozen=True):
    market_ticker: Name
    price_dollars: str
    yes_bid_dollars: str
    yes_ask_dollars: str
    yes_bid_size_fp: str
    yes_ask_size_fp: str
    volume_fp: str
    open_interest_fp: str
    ts_ms: object = None


def _quoted(text: str, field: str) -> Price | None:
    """A price, ``None`` for the 0 and 1 dollar that stand for nobody being there."""
    try:
        value = parse_price(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 <= value <= ONE_DOLLAR:
        raise WireError(f"{field}: {text[:40]!r} is not between 0 and 1 dollar")
    return value if 0 < value < ONE_DOLLAR else None


def ticker(wire: TickerWire, odd: Odd) -> Ticker:
    """Raises ``WireError``."""
    return Ticker(
        ticker=wire.market_ticker,
        bid=_quoted(wire.yes_bid_dollars, "yes_bid_dollars"),
        ask=_quoted(wire.yes_ask_dollars, "yes_ask_dollars"),
        bid_size=quantity(wire.yes_bid_size_fp, "yes_bid_size_fp"),
        ask_size=quantity(wire.yes_ask_size_fp, "yes_ask_size_fp"),
        last=_quoted(wire.price_dollars, "price_dollars"),
        volume=quantity(wire.volume_fp, "volume_fp"),
        open_interest=quantity(wire.open_interest_fp, "open_interest_fp"),
        at_ms=odd.moment(wire.ts_ms, "ts_ms"),
    )


_trades = msgspec.json.Decoder(TradeWire)


async def read_trades(
    reader: Reader, ticker: str | None = None, window: Window = Window(), *, historical: bool = False
) -> tuple[Trade, ...] | Incomplete:
    """Trades, newest first; those before the venue's cutoff are ``historical``."""
    query = windowed({"limit": PAGE}, window)
    if ticker is not None:
        query["ticker"] = ticker
    endpoint = ep.OLD_TRADES if historical else ep.TRADES
    return await reader.every(endpoint, "trades", Priority.BACKGROUND, query, _trades, trade)


class TradesWire(msgspec.Struct, frozen=True):
    trades: list[TradeWire]


_latest = msgspec.json.Decoder(TradesWire)


def _last_price(wire: TradesWire, odd: Odd) -> Price | None:
    return next((seen.price for seen in (trade(row, odd) for row in wire.trades) if not seen.block), None)


async def read_last_price(reader: Reader, ticker: str) -> Price | Incomplete | None:
    """What the newest trade in the book paid, for an exit without a book; ``None`` when there is none."""
    query: Query = {"ticker": ticker, "limit": LATEST}
    return await reader.one(
        ep.TRADES, f"trades of {ticker}", Priority.FLATTEN, _latest, _last_price, query=query
    )
