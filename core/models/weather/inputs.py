"""What the weather models know about one station: the newest value of each source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from core.feeds import observed
from core.feeds.observed import RunningDay
from core.feeds.stations import Station, climate_day
from core.feeds.values import (
    ClimateReport,
    DailySummary,
    Ensemble,
    GridForecast,
    ModelForecast,
    Observation,
    PastForecasts,
    StationGuidance,
    TakenBack,
    WeatherValue,
)

FITTED = "gfs_seamless"
"""The main model: the shipped history holds past forecasts of it, and hours to come are read from it."""
ISSUES_KEPT = 4
FITTED_ENSEMBLE = "ncep_gefs025"


class StationInputs(msgspec.Struct, frozen=True):
    station: Station
    model: ModelForecast | None = None
    """Of the main model."""
    issues: Mapping[str, ModelForecast] = {}
    """Of the main model, by the climate day on which it was issued: the newest of each of the last days."""
    others: Mapping[str, ModelForecast] = {}
    """Other models, by name."""
    grid: GridForecast | None = None
    ensemble: Ensemble | None = None
    """Of the model the fitted one belongs to."""
    other_ensembles: Mapping[str, Ensemble] = {}
    guidance: Mapping[str, StationGuidance] = {}
    """By model."""
    past: Mapping[str, PastForecasts] = {}
    """What each model said before, by name."""
    observed: RunningDay | None = None
    report: ClimateReport | None = None
    summary: DailySummary | None = None


Issued = TypeVar("Issued", ModelForecast, GridForecast)


def absorb(held: StationInputs, value: WeatherValue) -> StationInputs:
    """``held`` with one more value; a value of another station changes nothing."""
    if value.station != held.station.icao:
        return held
    match value:
        case ModelForecast() if value.model == FITTED:
            newest = _newer(held.model, value)
            issued = climate_day(held.station, newest.stamp.event_ms)
            issues = sorted({**held.issues, issued: newest}.items())[-ISSUES_KEPT:]
            return msgspec.structs.replace(held, model=newest, issues=dict(issues))
        case ModelForecast():
            return msgspec.structs.replace(held, others={**held.others, value.model: value})
        case GridForecast():
            return msgspec.structs.replace(held, grid=_newer(held.grid, value))
        case Ensemble() if value.model == FITTED_ENSEMBLE:
            return msgspec.structs.replace(held, ensemble=value)
        case Ensemble():
            ensembles = {**held.other_ensembles, value.model: value}
            return msgspec.structs.replace(held, other_ensembles=ensembles)
        case Observation():
            running = observed.observe(held.observed, value, held.station)
            return msgspec.structs.replace(held, observed=running)
        case TakenBack():
            kept = observed.take_back(held.observed, value.stamp.event_ms, held.station)
            return msgspec.structs.replace(held, observed=kept)
        case StationGuidance():
            return msgspec.structs.replace(held, guidance={**held.guidance, value.model: value})
        case PastForecasts():
            return msgspec.structs.replace(held, past={**held.past, value.model: value})
        case ClimateReport():
            return msgspec.structs.replace(held, report=value, observed=_reported(held, value))
        case DailySummary():
            return msgspec.structs.replace(held, summary=value, observed=_reported(held, value))


def _newer(held: Issued | None, value: Issued) -> Issued:
    """An answer that comes late does not take a newer one's place; one of the same issue does."""
    return held if held is not None and held.stamp.event_ms > value.stamp.event_ms else value


def _reported(held: StationInputs, value: ClimateReport | DailySummary) -> RunningDay | None:
    return observed.report(held.observed, value, held.station)
