"""The real client of the second venue, its markets given the station whose forecasts the world has.

The venue's markets settle on reports the desk has no model of, so it opens nothing there by itself. Here
hands are to trade: like a market of Kalshi each gets a station, a day and a series. Nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from core.domain.market import Market
from core.venues.venue import Incomplete, VenueGateway, VenueListener
from tests.simulation.polymarket.site import DAYS, slug_of
from tests.simulation.site import SERIES

_DAYS = {slug_of(day): day.isoformat() for day in DAYS}


def stationed(market: Market) -> Market:
    day = _DAYS.get(market.event_ticker)
    return msgspec.structs.replace(market, station="KNYC", climate_day=day, series_ticker=SERIES)


class _Passing:
    """Everything as the one behind has it."""

    def __init__(self, behind: object) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class _Hearing(_Passing):
    def on_market(self, market: Market) -> None:
        self._behind.on_market(stationed(market))  # type: ignore[attr-defined]


class _Telling(_Passing):
    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        found = await self._behind.markets(tuple(_DAYS))  # type: ignore[attr-defined]
        return found if isinstance(found, Incomplete) else tuple(stationed(market) for market in found)

    async def market(self, ticker: str) -> Market | Incomplete:
        found = await self._behind.market(ticker)  # type: ignore[attr-defined]
        return found if isinstance(found, Incomplete) else stationed(found)


def hearing(listener: VenueListener) -> VenueListener:
    return cast(VenueListener, _Hearing(listener))


def telling(venue: VenueGateway) -> VenueGateway:
    return cast(VenueGateway, _Telling(venue))
