"""Finds markets and keeps what is known of them true: lists, life-cycle messages, single re-reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from core.domain.market import Market, TickGrid
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi.catalog import Catalog
from core.venues.kalshi.fees import read_changes
from core.venues.kalshi.markets import (
    EventFeeWire,
    EventPage,
    EventWire,
    LifecycleWire,
    MarketPage,
    MarketWire,
    SeriesPage,
    settlement,
)
from core.venues.kalshi.terms import read_terms
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete, SettlementReport, VenueListener
from core.venues.wire import Odd, WireError, decode

RETRY_S: Final = 5.0
TRIES: Final = 5
PAGE: Final = 200
TOGETHER: Final = 4
"""Series that are asked about at once: of a dozen one after the other each waits for four answers, and more
than these would take the connections that orders go through."""
STATUSES: Final = ("open", "unopened", "closed")
"""Events worth knowing: what trades, what will, and what still has to be paid."""
_REREAD: Final = frozenset({"created", "settled", "metadata_updated", "close_date_updated"})
"""Messages after which the market is read again: only REST has all terms and the payout."""


class _EventRow(EventWire, frozen=True):
    markets: list[msgspec.Raw] | None = None


_series = msgspec.json.Decoder(SeriesPage)
_event = msgspec.json.Decoder(EventPage)
_events = msgspec.json.Decoder(_EventRow)
_market_page = msgspec.json.Decoder(MarketPage)
_market = msgspec.json.Decoder(MarketWire)


def _same_event(row: _EventRow, odd: Odd) -> _EventRow:
    return row


class Listing:
    """The catalog and everything that changes it. ``on_grid`` hears of a market whose prices changed,
    ``on_paid`` of one that is paid and dropped."""

    def __init__(
        self,
        reader: Reader,
        listener: VenueListener,
        on_anomaly: Callable[[str, str], None],
        on_grid: Callable[[str, TickGrid], None],
        on_paid: Callable[[str], None],
    ) -> None:
        self.catalog = Catalog(on_anomaly)
        self._reader, self._listener = reader, listener
        self._on_anomaly, self._on_grid, self._on_paid = on_anomaly, on_grid, on_paid
        self._stale: dict[str, int] = {}
        """Markets to read again, with the tries made."""
        self._unlisted: set[str] = set()
        """Markets the last lists had no more; each is read once, for the message of its end was missed."""
        self._wake = asyncio.Event()

    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        """Every market of these series that is not settled; all of them or ``Incomplete``."""
        found: dict[str, Market] = {}
        # Before the terms: a change that takes effect in between is then in at least one of the two.
        changes = await read_changes(self._reader)
        if isinstance(changes, Incomplete):
            self._on_anomaly("fees", f"{changes.what}: {changes.reason}")
        else:
            self.catalog.changes = changes
        turns = asyncio.Semaphore(TOGETHER)
        async with asyncio.TaskGroup() as asking:
            lists = [asking.create_task(self._of_series(ticker, turns)) for ticker in series]
        for told in (one.result() for one in lists):  # in the order of the series, whoever answered first
            if isinstance(told, Incomplete):
                return told
            found.update(told)
        held = {m.ticker for m in self.catalog.markets.values() if m.series_ticker in series}
        unlisted = held - found.keys()
        for ticker in unlisted - self._unlisted:
            self._read_again(ticker)
        self._unlisted = unlisted
        return tuple(found.values())

    async def _of_series(self, ticker: str, turns: asyncio.Semaphore) -> dict[str, Market] | Incomplete:
        """Every market of one series that is not settled, once it is its turn."""
        found: dict[str, Market] = {}
        async with turns:
            path = ep.SERIES.at(series_ticker=ticker)
            page = await self._reader.value(
                ep.SERIES, f"series {ticker}", Priority.BACKGROUND, _series, path=path
            )
            if isinstance(page, Incomplete):
                return page
            self.catalog.series[ticker] = page.series
            for status in STATUSES:
                events = await self._reader.every(
                    ep.EVENTS,
                    "events",
                    Priority.BACKGROUND,
                    {"series_ticker": ticker, "status": status, "with_nested_markets": "true", "limit": PAGE},
                    _events,
                    _same_event,
                )
                if isinstance(events, Incomplete):
                    return events
                for event in events:
                    found.update(self._learn(event))
        return found

    async def market(self, ticker: str) -> Market | Incomplete:
        """One market of any series; it is known from then on."""
        terms = await read_terms(self._reader, ticker)
        if isinstance(terms, Incomplete):
            return terms
        self.catalog.series[terms.event.series_ticker] = terms.series
        self.catalog.events[terms.market.event_ticker] = terms.event
        found = self._take(terms.market)
        return found if found is not None else Incomplete(f"market {ticker}", "its terms are not understood")

    def _learn(self, event: _EventRow) -> dict[str, Market]:
        self.catalog.events[event.event_ticker] = event
        found: dict[str, Market] = {}
        over: list[tuple[SettlementReport, bool]] = []
        for raw in event.markets or ():
            try:
                row = decode(raw, _market, "market")
                paid = settlement(row, Odd())
            except WireError as error:
                # One market we cannot read must not hide the others; it is simply not traded.
                self._on_anomaly("market", f"{event.event_ticker}: {error}")
                continue
            if paid is not None:
                over.append((paid, row.ticker in self.catalog.markets))
            market = self._take(row)
            if market is not None:
                found[market.ticker] = market
        for paid, was_known in over:
            self._drop(paid, tell=was_known)
        return found

    def _drop(self, paid: SettlementReport, *, tell: bool) -> None:
        self.catalog.forget(paid.ticker)
        if tell:
            self._on_paid(paid.ticker)
            self._listener.on_settlement(paid)

    def _take(self, row: MarketWire) -> Market | None:
        before = self.catalog.markets.get(row.ticker)
        market = self.catalog.learn(row)
        if market is not None and before is not None and before.grid != market.grid:
            self._on_grid(market.ticker, market.grid)
        return market

    def on_event(self, body: LifecycleWire) -> None:
        """A life-cycle message of any market of the venue."""
        ticker = body.market_ticker
        if not self.catalog.follows(ticker):
            return
        before = self.catalog.markets.get(ticker)
        changed = self.catalog.apply(body)
        if changed is not None:
            if before is not None and before.grid != changed.grid:
                self._on_grid(ticker, changed.grid)
            self._listener.on_market(changed)
        if before is None or body.event_type in _REREAD:
            self._read_again(ticker)

    def on_fees(self, body: EventFeeWire, world_ms: int) -> None:
        for changed in self.catalog.apply_fees(body, world_ms):
            self._listener.on_market(changed)

    def on_missed(self) -> None:
        """Life-cycle messages were lost: any market may have changed."""
        for ticker in self.catalog.markets:
            self._read_again(ticker)

    def _read_again(self, ticker: str) -> None:
        self._stale.setdefault(ticker, 0)
        self._wake.set()

    async def run(self) -> None:
        """Read again what messages said has changed."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            stale, self._stale = self._stale, {}
            failed: dict[str, int] = {}
            for ticker, tries in stale.items():
                problem = await self._refresh(ticker)
                if problem and tries + 1 < TRIES:
                    failed[ticker] = tries + 1
                elif problem:
                    self._on_anomaly("market", f"{ticker} could not be read again: {problem}")
            if failed:
                await asyncio.sleep(RETRY_S)
                self._stale = {**failed, **self._stale}
                self._wake.set()

    async def _refresh(self, ticker: str) -> str:
        """Read one market, and its event if that is new; a text says why it did not work."""
        path = ep.MARKET.at(ticker=ticker)
        page = await self._reader.value(
            ep.MARKET, f"market {ticker}", Priority.BACKGROUND, _market_page, path=path
        )
        if isinstance(page, Incomplete):
            return page.reason
        try:
            row = decode(page.market, _market, "market")
            paid = settlement(row, Odd())
        except WireError as error:
            return str(error)
        if row.event_ticker not in self.catalog.events:
            path = ep.EVENT.at(event_ticker=row.event_ticker)
            event = await self._reader.value(
                ep.EVENT, f"event {row.event_ticker}", Priority.BACKGROUND, _event, path=path
            )
            if isinstance(event, Incomplete):
                return event.reason
            self.catalog.events[row.event_ticker] = event.event
        before = self.catalog.markets.get(ticker)
        market = self._take(row)
        if market is not None and market != before:
            self._listener.on_market(market)
        if paid is not None:
            self._drop(paid, tell=True)
        return ""
