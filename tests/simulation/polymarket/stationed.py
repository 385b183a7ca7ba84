"""The real client of the second venue, its markets under the one series that the world's desk follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from core.domain.market import Market
from core.venues.venue import Incomplete, VenueGateway, VenueListener
from tests.simulation.polymarket.site import DAYS, slug_of
from tests.simulation.site import SERIES

_EVENTS = tuple(slug_of(day) for day in DAYS)


def filed(market: Market) -> Market:
    return msgspec.structs.replace(market, series_ticker=SERIES)


class _Passing:
    """Everything as the one behind has it."""

    def __init__(self, behind: object) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class _Hearing(_Passing):
    def on_market(self, market: Market) -> None:
        self._behind.on_market(filed(market))  # type: ignore[attr-defined]


class _Telling(_Passing):
    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        found = await self._behind.markets(_EVENTS)  # type: ignore[attr-defined]
        return found if isinstance(found, Incomplete) else tuple(filed(market) for market in found)

    async def market(self, ticker: str) -> Market | Incomplete:
        found = await self._behind.market(ticker)  # type: ignore[attr-defined]
        return found if isinstance(found, Incomplete) else filed(found)


def hearing(listener: VenueListener) -> VenueListener:
    return cast(VenueListener, _Hearing(listener))


def telling(venue: VenueGateway) -> VenueGateway:
    return cast(VenueGateway, _Telling(venue))
