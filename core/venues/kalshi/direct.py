"""The account without a stream: what a flatten without an engine reads, cancels and sells with."""

from __future__ import annotations

from core.domain.book import Book
from core.domain.market import Market
from core.domain.order import OrderIntent
from core.domain.units import Price
from core.venues.exchange import ExchangeState
from core.venues.kalshi import exchange
from core.venues.kalshi.cancel_only import KalshiCancelOnly
from core.venues.kalshi.depths import read_on_grid
from core.venues.kalshi.markets import market
from core.venues.kalshi.orders import Orders, create_order
from core.venues.kalshi.tape import read_last_price
from core.venues.kalshi.terms import read_terms
from core.venues.limiter import Priority
from core.venues.venue import (
    UNSEALED,
    Incomplete,
    LastCheck,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Rejected,
    Sealed,
)
from core.venues.wire import Odd, WireError


class KalshiDirect(KalshiCancelOnly):
    """See ``core.execution.direct.DirectVenue``."""

    unable = ""

    async def settling(self) -> frozenset[str] | Incomplete:
        return frozenset()

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        return await self._account.positions()

    async def orders(self, ticker: str, since_ms: int) -> tuple[OrderReport, ...] | Incomplete:
        return await self._account.orders(ticker, None, since_ms)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        return await exchange.read_state(self._reader)

    async def market(self, ticker: str) -> Market | Incomplete:
        """A market with its terms, whatever series it is of."""
        terms = await read_terms(self._reader, ticker)
        if isinstance(terms, Incomplete):
            return terms
        try:
            return market(terms.market, terms.event, terms.series, Odd())
        except WireError as error:
            return Incomplete(f"market {ticker}", str(error))

    async def book(self, known: Market) -> Book | Incomplete:
        return await read_on_grid(self._reader, known.ticker, known.grid)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await read_last_price(self._reader, ticker)

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        return await self._account.order(order_id)

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        return UNSEALED

    async def place(
        self, intent: OrderIntent, sealed: Sealed, shard: int, last_check: LastCheck
    ) -> PlaceOutcome:
        """A reduce-only exit; nothing else is placed this way."""
        orders = Orders(self._http)
        return await orders.place(create_order(intent, shard), last_check, Priority.FLATTEN, 0.0)
