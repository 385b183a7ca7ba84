"""What each numerical model said of the past days, at every lead: Open-Meteo's previous runs.

A lead of n days means, hour by hour, the value that was out n times 24 hours before; lead 0 is the last word
before the hour itself, which is better than what was known in that morning.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from core.domain.market import Extreme
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.open_meteo import FORECASTS, weight
from core.feeds.open_meteo_wire import VARIABLE, Answer, hours, zone
from core.feeds.stations import Station, daily
from core.training.archive import Figures, Key
from core.training.asks import LEADS, Ask, Days, Found, Provider, keys, spans

MODELS: Final = tuple(model.name for model in FORECASTS)
DAYS_AN_ASK: Final = 35
"""Costs one call: a question of few variables weighs by its days."""
GRID_DEGREES: Final = 0.5
"""The answer names its grid cell's middle, which no model has farther from the place."""
_COLUMNS: Final = tuple(VARIABLE if lead == 0 else f"{VARIABLE}_previous_day{lead}" for lead in LEADS)


class Located(Answer, frozen=True):
    """With the middle of the grid cell it is of."""

    latitude: float
    longitude: float


def plan(station: Station, days: Sequence[str], held: Figures) -> list[Ask]:
    """The questions whose answers are not held for these days."""
    found = []
    for model in MODELS:
        missing = [
            day
            for day in days
            if any(Key(day, extreme, lead, model) not in held for extreme in Extreme for lead in LEADS)
        ]
        found += [_ask(station, model, span, held) for span in spans(missing, DAYS_AN_ASK)]
    return found


def _ask(station: Station, model: str, days: Days, held: Figures) -> Ask:
    async def answer(fetcher: Fetcher) -> Found | Failed:
        said = await fetcher.get(
            "/v1/forecast",
            {
                "latitude": f"{station.lat:g}",
                "longitude": f"{station.lon:g}",
                "elevation": str(station.elevation_m),
                "hourly": ",".join(_COLUMNS),
                "models": model,
                "temperature_unit": "fahrenheit",
                "timezone": zone(station),
                "start_date": days.first.isoformat(),
                "end_date": days.last.isoformat(),
            },
            cost=cost,
        )
        if not isinstance(said, Body):
            return said if isinstance(said, Failed) else Failed("not modified without a question", 304)
        wire = decode(said, Located)
        return wire if isinstance(wire, Failed) else read(wire, station, model, days)

    count = (days.last - days.first).days + 1
    cost = weight(len(_COLUMNS), count)
    wanted = frozenset(key for key in keys(days, model, LEADS) if key not in held)
    return Ask(Provider.OPEN_METEO, station, model, days, cost, answer, wanted)


def read(wire: Located, station: Station, model: str, days: Days) -> Found | Failed:
    """The extremes of each day at each lead, none where hours are missing; or what is wrong with the
    answer."""
    off = max(abs(wire.latitude - station.lat), abs(wire.longitude - station.lon))
    if not off <= GRID_DEGREES:
        return Failed(f"{station.icao}: answer is of {wire.latitude:g}, {wire.longitude:g}", 200)
    series = hours(wire, station, _COLUMNS)
    if isinstance(series, Failed):
        return series
    if any(late <= early for early, late in itertools.pairwise(series.times)):
        return Failed(f"{station.icao}: answer tells an hour twice or in disorder", 200)
    found: dict[Key, float | None] = dict.fromkeys(keys(days, model, LEADS))
    for lead, row in zip(LEADS, series.members, strict=True):
        for day, (low, high) in daily(series.times, row, station).items():
            for extreme, f in ((Extreme.HIGH, high), (Extreme.LOW, low)):
                if (key := Key(day, extreme, lead, model)) in found:
                    found[key] = f
    return found
