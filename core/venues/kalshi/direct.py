"""The account without a stream: what a flatten without an engine reads, cancels and sells with."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.book import Book
from core.domain.market import Market
from core.domain.order import OrderIntent
from core.venues.exchange import ExchangeState
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi import exchange
from core.venues.kalshi.cancel_only import KalshiCancelOnly
from core.venues.kalshi.depths import read_on_grid
from core.venues.kalshi.markets import EventPage, MarketPage, MarketWire, SeriesPage, market
from core.venues.kalshi.orders import Orders, create_order
from core.venues.kalshi.wire import Odd, WireError, decode
from core.venues.limiter import Priority
from core.venues.venue import Incomplete, LastCheck, OrderReport, PlaceOutcome, PositionReport

_market_page = msgspec.json.Decoder(MarketPage)
_market: Final = msgspec.json.Decoder(MarketWire)
_event = msgspec.json.Decoder(EventPage)
_series = msgspec.json.Decoder(SeriesPage)


class KalshiDirect(KalshiCancelOnly):
    """See ``core.execution.direct.DirectVenue``."""

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        return await self._account.positions()

    async def orders(self, ticker: str, since_ms: int) -> tuple[OrderReport, ...] | Incomplete:
        return await self._account.orders(ticker, None, since_ms)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        return await exchange.read_state(self._reader)

    async def market(self, ticker: str) -> Market | Incomplete:
        """A market with its terms, whatever series it is of."""
        what = f"market {ticker}"
        page = await self._reader.value(
            ep.MARKET, what, Priority.FLATTEN, _market_page, path=ep.MARKET.at(ticker=ticker)
        )
        if isinstance(page, Incomplete):
            return page
        try:
            row = decode(page.market, _market, what)
        except WireError as error:
            return Incomplete(what, str(error))
        event = await self._reader.value(
            ep.EVENT, what, Priority.FLATTEN, _event, path=ep.EVENT.at(event_ticker=row.event_ticker)
        )
        if isinstance(event, Incomplete):
            return event
        path = ep.SERIES.at(series_ticker=event.event.series_ticker)
        series = await self._reader.value(ep.SERIES, what, Priority.FLATTEN, _series, path=path)
        if isinstance(series, Incomplete):
            return series
        try:
            return market(row, event.event, series.series, Odd())
        except WireError as error:
            return Incomplete(what, str(error))

    async def book(self, known: Market) -> Book | Incomplete:
        return await read_on_grid(self._reader, known.ticker, known.grid)

    async def place(self, intent: OrderIntent, shard: int, last_check: LastCheck) -> PlaceOutcome:
        """A reduce-only exit; nothing else is placed this way."""
        orders = Orders(self._http)
        return await orders.place(create_order(intent, shard), last_check, Priority.FLATTEN, 0.0)
