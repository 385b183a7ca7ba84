"""What markets settle on together: an air mass, an index, a release. Their worst cases are added and capped.

No hedge credit is given within a bucket: what is held in one of its markets is not taken to even out another.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Mapping
from datetime import UTC, datetime

from core.domain.market import Market
from core.feeds.stations import Station, climate_day, index_station, stations


def source(market: Market) -> str:
    """What a market settles on, by a short name shared with every other market that does."""
    if market.mean is not None:
        return market.mean.index
    if market.station is not None:
        known = stations().get(market.station)
        return _air(known) if known is not None else market.station
    if market.reading is not None:
        around = index_station(market.reading.city)
        return _air(around) if around is not None else market.reading.name
    return _sources().get(market.series_ticker, market.series_ticker)


def bucket(market: Market) -> str:
    """The source and the day of it."""
    if market.station is not None and market.climate_day is not None:
        return f"{source(market)} {market.climate_day}"
    if market.reading is not None and (around := index_station(market.reading.city)) is not None:
        return f"{source(market)} {climate_day(around, market.reading.at_ms)}"
    day = datetime.fromtimestamp(market.close_ms / 1000, UTC).date().isoformat()
    return f"{source(market)} {day}"


def _air(station: Station) -> str:
    return station.air_mass or station.icao


@functools.cache
def _sources() -> Mapping[str, str]:
    """Index, pair or release of the series that settle on one."""
    text = (importlib.resources.files("core.risk") / "affected.csv").read_text("utf-8")
    return {row["series"]: row["source"] for row in csv.DictReader(text.splitlines())}
