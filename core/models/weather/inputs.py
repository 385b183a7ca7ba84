"""What the weather models know about one station: the newest value of each source."""

from __future__ import annotations

import msgspec

from core.feeds.observed import RunningMax, observe
from core.feeds.stations import Station
from core.feeds.values import (
    ClimateReport,
    Ensemble,
    GridForecast,
    ModelForecast,
    Observation,
    WeatherValue,
)


class StationInputs(msgspec.Struct, frozen=True):
    station: Station
    model: ModelForecast | None = None
    grid: GridForecast | None = None
    ensemble: Ensemble | None = None
    observed: RunningMax | None = None
    report: ClimateReport | None = None


def absorb(held: StationInputs, value: WeatherValue) -> StationInputs:
    """``held`` with one more value; a value of another station changes nothing."""
    if value.station != held.station.icao:
        return held
    match value:
        case ModelForecast():
            return msgspec.structs.replace(held, model=value)
        case GridForecast():
            return msgspec.structs.replace(held, grid=value)
        case Ensemble():
            return msgspec.structs.replace(held, ensemble=value)
        case Observation():
            return msgspec.structs.replace(held, observed=observe(held.observed, value, held.station))
        case ClimateReport():
            return msgspec.structs.replace(held, report=value)
