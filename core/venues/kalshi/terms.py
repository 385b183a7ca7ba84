"""One market with everything its terms come from, found by its ticker alone, whatever series it is of."""

from __future__ import annotations

from typing import Final

import msgspec

from core.venues.kalshi import endpoints as ep
from core.venues.kalshi.markets import EventPage, EventWire, MarketPage, MarketWire, SeriesPage, SeriesWire
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import WireError, decode

_market_page = msgspec.json.Decoder(MarketPage)
_market: Final = msgspec.json.Decoder(MarketWire)
_event = msgspec.json.Decoder(EventPage)
_series = msgspec.json.Decoder(SeriesPage)


class Terms(msgspec.Struct, frozen=True):
    market: MarketWire
    event: EventWire
    series: SeriesWire


async def read_terms(reader: Reader, ticker: str) -> Terms | Incomplete:
    """For an exit: ahead of every read that is not for one."""
    what = f"market {ticker}"
    page = await reader.value(
        ep.MARKET, what, Priority.FLATTEN, _market_page, path=ep.MARKET.at(ticker=ticker)
    )
    if isinstance(page, Incomplete):
        return page
    try:
        row = decode(page.market, _market, what)
    except WireError as error:
        return Incomplete(what, str(error))
    path = ep.EVENT.at(event_ticker=row.event_ticker)
    event = await reader.value(ep.EVENT, what, Priority.FLATTEN, _event, path=path)
    if isinstance(event, Incomplete):
        return event
    path = ep.SERIES.at(series_ticker=event.event.series_ticker)
    series = await reader.value(ep.SERIES, what, Priority.FLATTEN, _series, path=path)
    if isinstance(series, Incomplete):
        return series
    return Terms(row, event.event, series.series)
