"""Finding series, events and markets with every filter the venue has, live and historical.

The desk follows the series it is told to through ``listing.py``; tools look around with these.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi.markets import EventWire, MarketWire, SeriesWire
from core.venues.limiter import Priority
from core.venues.reader import Parameters, Reader, Window, windowed
from core.venues.venue import Incomplete
from core.venues.wire import Odd, rfc3339_ms

MARKETS_PAGE: Final = 1_000
EVENTS_PAGE: Final = 200
TICKERS_MAX: Final = 100
TEXT_MAX: Final = 300
SOURCES_MAX: Final = 20


class Phase(enum.Enum):
    """The venue's filter words; an object's own status has other names."""

    UNOPENED = "unopened"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    SETTLED = "settled"


class Moment(enum.Enum):
    """Which of a market's times a window is about; the venue takes one window a call."""

    CREATED = "created"
    CLOSE = "close"
    SETTLED = "settled"
    UPDATED = "updated"


_PHASES_OF: Final = {
    Moment.CREATED: frozenset({None, Phase.UNOPENED, Phase.OPEN}),
    Moment.CLOSE: frozenset({None, Phase.CLOSED}),
    Moment.SETTLED: frozenset({None, Phase.SETTLED}),
    Moment.UPDATED: frozenset({None}),
}
"""Kalshi API: get markets. Phases a window may be combined with."""


class FilterError(ValueError):
    """A combination the venue would refuse. One sentence."""


class MarketFilter(msgspec.Struct, frozen=True):
    """Which markets. Combos outnumber everything else and are left out unless wanted."""

    series: str = ""
    event: str = ""
    tickers: tuple[str, ...] = ()
    phase: Phase | None = None
    moment: Moment | None = None
    window: Window = Window()
    combos: bool = False

    def query(self) -> Parameters:
        """Raises ``FilterError``."""
        query: Parameters = {"limit": MARKETS_PAGE}
        if not self.combos:
            query["mve_filter"] = "exclude"
        if self.series:
            query["series_ticker"] = self.series
        if self.event:
            query["event_ticker"] = self.event
        if self.tickers:
            query["tickers"] = ",".join(self.tickers)
        if self.phase is not None:
            query["status"] = self.phase.value
        if self.moment is None:
            return query
        if self.phase not in _PHASES_OF[self.moment]:
            word = self.phase.value if self.phase is not None else ""
            raise FilterError(f"a window of {self.moment.value} times cannot be combined with {word} markets")
        if self.moment is Moment.UPDATED and (self.combos or self.event or self.tickers):
            raise FilterError("a window of updated times goes with a series alone, combos left out")
        return windowed(query, self.window, f"min_{self.moment.value}_ts", f"max_{self.moment.value}_ts")


class EventFilter(msgspec.Struct, frozen=True):
    """Which events. One matches a phase when any of its markets does."""

    series: str = ""
    tickers: tuple[str, ...] = ()
    phase: Phase | None = None
    closes_from_ms: int | None = None
    updated_from_ms: int | None = None

    def query(self) -> Parameters:
        """Raises ``FilterError``."""
        query: Parameters = {"limit": EVENTS_PAGE}
        if self.series:
            query["series_ticker"] = self.series
        if self.tickers:
            query["tickers"] = ",".join(self.tickers)
        if self.phase is Phase.PAUSED:
            raise FilterError("events cannot be listed by paused: pause is a state of markets")
        if self.phase is not None:
            query["status"] = self.phase.value
        if self.closes_from_ms is not None:
            query["min_close_ts"] = self.closes_from_ms // 1_000
        if self.updated_from_ms is not None:
            query["min_updated_ts"] = self.updated_from_ms // 1_000
        return query


class Series(msgspec.Struct, frozen=True):
    """A family of events as the venue describes it."""

    ticker: str
    title: str
    category: str
    frequency: str
    tags: tuple[str, ...]
    sources: tuple[str, ...]
    """Names of what it settles on."""
    shard: int
    """Where its new events trade."""


class SourceWire(msgspec.Struct, frozen=True):
    name: object = None


class SeriesRow(SeriesWire, frozen=True):
    title: object = None
    category: object = None
    frequency: object = None
    tags: list[str] | None = None
    settlement_sources: list[SourceWire] | None = None
    exchange_index: object = None


class SeriesListWire(msgspec.Struct, frozen=True):
    series: list[SeriesRow]


class EventMarketsWire(msgspec.Struct, frozen=True):
    event: EventWire
    markets: list[MarketWire] = []


class MetadataWire(msgspec.Struct, frozen=True):
    settlement_sources: list[SourceWire] | None = None
    competition: object = None


class OneMarketWire(msgspec.Struct, frozen=True):
    market: MarketWire


class CutoffWire(msgspec.Struct, frozen=True):
    market_settled_ts: str
    trades_created_ts: str
    orders_updated_ts: str
    market_positions_last_updated_ts: str | None = None


class Cutoff(msgspec.Struct, frozen=True):
    """From when on live lists go back; what is older is historical. Unix milliseconds.

    Resting orders and unsettled positions are always live; settlement records have no history at all.
    """

    markets_ms: int
    trades_ms: int
    orders_ms: int
    positions_ms: int | None


_series_list = msgspec.json.Decoder(SeriesListWire)
_events = msgspec.json.Decoder(EventWire)
_event = msgspec.json.Decoder(EventMarketsWire)
_metadata = msgspec.json.Decoder(MetadataWire)
_markets = msgspec.json.Decoder(MarketWire)
_market = msgspec.json.Decoder(OneMarketWire)
_cutoff = msgspec.json.Decoder(CutoffWire)


def _sources(wires: Sequence[SourceWire] | None, odd: Odd) -> tuple[str, ...]:
    return tuple(odd.text(source.name, "settlement_sources") for source in (wires or ())[:SOURCES_MAX])


def _of_series(wire: SeriesRow, odd: Odd) -> Series:
    return Series(
        ticker=wire.ticker,
        title=odd.text(wire.title, "title", TEXT_MAX),
        category=odd.text(wire.category, "category"),
        frequency=odd.text(wire.frequency, "frequency"),
        tags=tuple(clean_text(tag, 60) for tag in (wire.tags or ())[:SOURCES_MAX]),
        sources=_sources(wire.settlement_sources, odd),
        shard=odd.whole(wire.exchange_index, "exchange_index") or 0,
    )


def _as_read(wire: EventWire, odd: Odd) -> EventWire:
    return wire


def _market_as_read(wire: MarketWire, odd: Odd) -> MarketWire:
    return wire


async def read_series(
    reader: Reader, *, category: str = "", tags: Sequence[str] = (), updated_from_ms: int | None = None
) -> tuple[Series, ...] | Incomplete:
    """Every series of a category (by its exact name) or with any of the tags. The list has no pages."""
    query: Parameters = {}
    if category:
        query["category"] = category
    if tags:
        query["tags"] = ",".join(tags)
    if updated_from_ms is not None:
        query["min_updated_ts"] = updated_from_ms // 1_000
    return await reader.one(
        ep.SERIES_LIST,
        "series",
        Priority.BACKGROUND,
        _series_list,
        lambda wire, odd: tuple(_of_series(row, odd) for row in wire.series),
        query=query,
    )


async def read_events(reader: Reader, chosen: EventFilter) -> tuple[EventWire, ...] | Incomplete:
    """Raises ``FilterError``."""
    return await reader.every(ep.EVENTS, "events", Priority.BACKGROUND, chosen.query(), _events, _as_read)


async def read_event(reader: Reader, ticker: str) -> EventMarketsWire | Incomplete:
    """An event with its markets."""
    path = ep.EVENT.at(event_ticker=ticker)
    return await reader.value(ep.EVENT, f"event {ticker}", Priority.BACKGROUND, _event, path=path)


async def read_settlement_sources(reader: Reader, event: str) -> tuple[str, ...] | Incomplete:
    """Names of what an event settles on, from its metadata."""
    path = ep.EVENT_METADATA.at(event_ticker=event)
    return await reader.one(
        ep.EVENT_METADATA,
        f"metadata of {event}",
        Priority.BACKGROUND,
        _metadata,
        lambda wire, odd: _sources(wire.settlement_sources, odd),
        path=path,
    )


async def read_markets(
    reader: Reader, chosen: MarketFilter, *, historical: bool = False
) -> tuple[MarketWire, ...] | Incomplete:
    """Markets that match. History knows neither phases nor windows. Raises ``FilterError``."""
    if historical and (chosen.phase is not None or chosen.moment is not None):
        raise FilterError("historical markets are found by series, event or tickers alone")
    endpoint = ep.OLD_MARKETS if historical else ep.MARKETS
    return await reader.every(
        endpoint, "markets", Priority.BACKGROUND, chosen.query(), _markets, _market_as_read
    )


async def read_market(reader: Reader, ticker: str, *, historical: bool = False) -> MarketWire | Incomplete:
    endpoint = ep.OLD_MARKET if historical else ep.MARKET
    return await reader.one(
        endpoint,
        f"market {ticker}",
        Priority.BACKGROUND,
        _market,
        lambda wire, odd: wire.market,
        path=endpoint.at(ticker=ticker),
    )


def _of_cutoff(wire: CutoffWire, odd: Odd) -> Cutoff:
    return Cutoff(
        rfc3339_ms(wire.market_settled_ts, "market_settled_ts"),
        rfc3339_ms(wire.trades_created_ts, "trades_created_ts"),
        rfc3339_ms(wire.orders_updated_ts, "orders_updated_ts"),
        odd.time(wire.market_positions_last_updated_ts, "market_positions_last_updated_ts"),
    )


async def read_cutoff(reader: Reader) -> Cutoff | Incomplete:
    """Where live lists end and history begins, now."""
    return await reader.one(ep.CUTOFF, "historical cutoff", Priority.BACKGROUND, _cutoff, _of_cutoff)
