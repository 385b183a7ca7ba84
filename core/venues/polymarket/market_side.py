"""Everything public at one place: which markets there are, their books on the streams, REST beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from core.domain.book import Book
from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.domain.units import Price
from core.venues.http import TransportFactory
from core.venues.limiter import Limiter
from core.venues.polymarket import clob
from core.venues.polymarket.books import Books, Watched
from core.venues.polymarket.facts import BookChanged, Fact, Oddity, Printed, Resolved, TickChanged
from core.venues.polymarket.geoblock import CHECK_AGAIN_S, Geoblock, read_geoblock
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.listing import Listing
from core.venues.polymarket.now import read_book_now, read_last_price_now
from core.venues.polymarket.public import PublicHttp
from core.venues.polymarket.streams import ASSETS_MAX, MarketStreams
from core.venues.polymarket.witness import Witness
from core.venues.reader import Reader
from core.venues.socket import SocketFactory
from core.venues.venue import Incomplete, VenueListener

if TYPE_CHECKING:
    import random

CONFIRM_AGAIN_S: Final = 600.0
"""How often the CLOB is asked for a watched market's terms of trading again."""
CONFIRM_RETRY_S: Final = 30.0
PER_LOOK: Final = 20
"""Markets asked about in one look: a desk of hundreds is not asked for at once."""


class MarketSide:
    """See module."""

    def __init__(
        self,
        addresses: Addresses,
        listener: VenueListener,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        sockets: SocketFactory,
        on_anomaly: Callable[[str, str], None],
        assets_max: int = ASSETS_MAX,
    ) -> None:
        def http(url: str) -> PublicHttp:
            return PublicHttp(
                url,
                clocks=clocks,
                limiter=limiter,
                rng=rng,
                transports=transports,
                on_anomaly=on_anomaly,
                on_credential=lambda cause: on_anomaly("public read", cause),
            )

        self._https = [http(url) for url in (addresses.gamma, addresses.clob, addresses.data, addresses.site)]
        self._gamma, self._clob, self.data, self._site = (Reader(h, on_anomaly) for h in self._https)
        self._clocks, self._listener, self._on_anomaly = clocks, listener, on_anomaly
        self._books = Books()
        self.views, self.lags = self._books.views, self._books.lags
        self.listing = Listing(self._gamma, self._clob, listener, clocks, on_anomaly, self._paid)
        self.catalog = self.listing.catalog
        self.streams = MarketStreams(
            addresses.ws_market,
            self._books,
            clocks=clocks,
            rng=rng,
            sockets=sockets,
            deliver=self._deliver,
            assets_max=assets_max,
        )
        self._witness = Witness(self._clob, self._books, clocks, self._deliver, self._dead)
        self._confirm_at: dict[str, float] = {}
        """When (loop time) to ask for each watched market's terms of trading."""
        self._geoblock_at = 0.0
        self.geoblock: Geoblock | None = None
        self._unwatch: list[str] = []
        self._double: set[str] = set()

    def tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What runs as long as the venue does, by name."""
        return {
            "polymarket market channel": self.streams.run(),
            "polymarket witness": self._witness.run(),
            "polymarket markets": self.listing.run(),
        }

    async def close(self) -> None:
        for http in self._https:
            await http.close()

    async def watch(self, tickers: Sequence[str]) -> None:
        """Keep the books of these markets."""
        tokens: list[str] = []
        for ticker in tickers:
            terms = self.catalog.terms.get(ticker)
            if terms is None:
                self._on_anomaly("subscribe", f"{ticker} is not a listed market")
            elif self._books.add(
                Watched(ticker, terms.tokens, self.catalog.sums(ticker)), self._clocks.mono_ns()
            ):
                tokens.append(terms.tokens.yes)
                self._confirm_at[ticker] = 0.0
        await self.streams.watch(tokens)

    def traded(self, tickers: Iterable[str]) -> None:
        """We act in these markets: their books come on two connections and are compared more often."""
        for ticker in tickers:
            slot = self._books.slots.get(ticker)
            if slot is not None and not slot.traded:
                slot.traded = True
                self._double.add(slot.watched.tokens.yes)

    async def tend(self) -> None:
        """What is due now; to be called every second or so."""
        double, self._double = self._double, set()
        await self.streams.double(double)
        gone, self._unwatch = self._unwatch, []
        for token in gone:
            await self.streams.unwatch(token)
        now = asyncio.get_running_loop().time()
        for ticker in [ticker for ticker, at in self._confirm_at.items() if at <= now][:PER_LOOK]:
            failed = await self.listing.confirm(ticker) if ticker in self.catalog.terms else None
            if ticker not in self.catalog.terms:
                self._confirm_at.pop(ticker, None)
            else:
                self._confirm_at[ticker] = now + (CONFIRM_AGAIN_S if failed is None else CONFIRM_RETRY_S)
        if now >= self._geoblock_at:
            self._geoblock_at = now + CHECK_AGAIN_S
            await self._ask_where()

    def confirm_soon(self, ticker: str) -> None:
        """The venue contradicted what we know of this market."""
        if ticker in self._confirm_at:
            self._confirm_at[ticker] = 0.0

    def ask_where_soon(self) -> None:
        self._geoblock_at = 0.0

    async def _ask_where(self) -> None:
        found = await read_geoblock(self._site)
        if isinstance(found, Incomplete):
            self._on_anomaly("geoblock", found.reason)
            return
        if found.blocked and found != self.geoblock:
            self._listener.on_storm(str(found))
        self.geoblock = found

    async def book_now(self, ticker: str) -> Book | Incomplete:
        return await read_book_now(self._clob, self.catalog, ticker)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await read_last_price_now(self._clob, self.catalog, ticker)

    async def engine_version(self) -> int | Incomplete:
        return await clob.read_version(self._clob)

    # --- what is heard ----------------------------------------------------------------------------

    def _deliver(self, fact: Fact) -> None:
        match fact:
            case BookChanged():
                self._listener.on_book(fact.ticker)
            case Printed():
                self._listener.on_print(fact.seen)
            case TickChanged():
                self.listing.retick(fact.ticker, fact.tick)
                self._listener.on_grid(fact.ticker)
            case Resolved():
                self.listing.read_again([fact.ticker])
            case Oddity():
                self._on_anomaly(fact.what, clean_text(fact.detail))
            case _:
                pass  # a connection given up ends by itself

    def _dead(self, token: str) -> None:
        self.streams.give_up(token, "silent though the venue has news")

    def _paid(self, ticker: str) -> None:
        slot = self._books.slots.get(ticker)
        if slot is not None:
            self._books.drop(ticker)
            self._unwatch.append(slot.watched.tokens.yes)
        self._confirm_at.pop(ticker, None)
