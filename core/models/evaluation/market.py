"""The market task: daily-high events, what the market said of them at some hours, and models beside it.

Weather models predict with the forecast of lead 1. The pool is walked forward: until sixty settled days it is
the market as it is, then weights are fitted anew every thirty days on all series together and shrunk by what
may be chance; the default is the pool, as the product prices with it. All models of an hour count the same
events: those whose city has such a forecast, or all where no forecasts are at hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.models import pooling_fit, scores
from core.models.calibration import DAYS_MIN
from core.models.evaluation.market_files import HOURS_UTC, MARKETS, Events, events
from core.models.evaluation.rows import (
    ALL,
    DEFAULT,
    Counted,
    Reliability,
    Report,
    Row,
    hour_text,
    none_counts,
    row,
)
from core.models.evaluation.walk import Steps, fits
from core.models.evaluation.weather import forecast
from core.models.evaluation.weather_files import LEADS, LeadSet, lead_set
from core.models.evaluation.weather_laws import laws
from core.models.laws import Array
from core.models.pooling import Weights

TASK = "market"
LEAD_DAYS = 1
MARKET, SHARPENED, POOL, WEATHER = "market", "market-sharpened", "pool", "weather-default"
AS_IT_IS = Weights(0.0, 1.0)
"""The market alone."""
PREFIX = "KXHIGH"
OTHER_NAMES = {"PHIL": "PHL"}
"""Cities that a series calls otherwise than the forecasts do."""

Flags = npt.NDArray[np.bool_]


def score(directory: Path, counted: Counted) -> Report:
    """Rows by hour, then by series. Raises ``DataError`` for a wrong file."""
    if not (directory / MARKETS).is_dir():
        return Report(TASK, (), (f"{MARKETS} is not there: its table is left out.",))
    found, notes = events(directory / MARKETS)
    if not found.series:
        return Report(TASK, (), tuple(notes))
    said: dict[str, Array] = {}
    usable = np.ones(found.days.size, dtype=np.bool_)
    if (directory / LEADS).is_dir():
        data = lead_set(directory / LEADS)
        cities = cities_of(found, data)
        notes += _without_city(found, cities)
        said = weather_said(data, found, cities, counted.fit_until)
        usable = np.isfinite(said[WEATHER][:, 0])
    else:
        notes.append(f"{LEADS} is not there: no model stands beside the market.")
    rows: list[Row] = []
    told: list[Reliability] = []
    for hour in HOURS_UTC:
        if hour not in found.prices:
            notes.append(f"{MARKETS}: no print at {hour_text(hour)}, its table is left out.")
            continue
        every = {MARKET: found.prices[hour], **said}
        if said:
            every |= pooled(found, said[WEATHER], hour, usable, counted.fit_until)
        else:
            every[DEFAULT] = found.prices[hour]
        counts = usable & counted.holds(found.days)
        rows += _rows(found, every, counts, hour)
        told.append(Reliability(hour, _reliability(every[DEFAULT][counts], found.winner[counts])))
    if not rows:
        notes.append(none_counts(MARKETS, found.days))
    return Report(TASK, tuple(rows), tuple(notes), tuple(told) if rows else ())


def cities_of(found: Events, data: LeadSet) -> npt.NDArray[np.intp]:
    """Place of each event's city among the forecasts; -1 where it has none."""
    place = {city: at for at, city in enumerate(data.cities)}
    names = (series.removeprefix(PREFIX) for series in found.series)
    return np.array([place.get(OTHER_NAMES.get(name, name), -1) for name in names], dtype=np.intp)


def _without_city(found: Events, cities: npt.NDArray[np.intp]) -> list[str]:
    names = sorted({series for series, city in zip(found.series, cities, strict=True) if city < 0})
    return [f"{MARKETS}: {name} is left out, {LEADS} has no forecasts for it." for name in names]


def weather_said(
    data: LeadSet, found: Events, cities: npt.NDArray[np.intp], fit_until: int | None
) -> dict[str, Array]:
    """Probabilities of each event's contracts by each weather model; NaN where it says nothing."""
    first = int(data.days[0])
    column = found.days - first
    inside = (cities >= 0) & (column >= 0) & (column < data.days.size)
    at_city, at_day = np.where(inside, cities, 0), np.where(inside, column, 0)
    inside &= forecast(data, LEAD_DAYS)[at_city, at_day]
    said = {}
    for model, law in laws(data, LEAD_DAYS, Counted(int(found.days.min()), None, fit_until)).items():
        here = law.rows((at_city, at_day))
        upto = np.stack([here.below(upper + 0.5) for upper in found.upper.T], axis=1)
        upto[~inside] = np.nan
        said[WEATHER if model == DEFAULT else model] = np.diff(upto, axis=1, prepend=0.0)
    return said


def pooled(found: Events, model: Array, hour: int, usable: Flags, fit_until: int | None) -> dict[str, Array]:
    """The market sharpened alone, the pool and the default, which is the pool, walked forward."""
    market = found.prices[hour]
    sharpened, together = np.full(market.shape, np.nan), np.full(market.shape, np.nan)
    first = int(found.days.min())
    column = found.days - first
    until = None if fit_until is None else fit_until - first
    steps = Steps(np.ones(int(column.max()) + 1, dtype=np.bool_), LEAD_DAYS, until)

    def fit(seen: int) -> pooling_fit.Fitted | None:
        past = usable & (column < seen)
        if np.unique(column[past]).size < DAYS_MIN:
            return None
        return pooling_fit.fit(model[past], market[past], found.winner[past], column[past])

    for fitted, block in fits(steps, fit):
        here = usable & (column >= block.start) & (column < block.stop)
        if not here.any():
            continue
        alone = AS_IT_IS if fitted is None else Weights(0.0, fitted.sharpen_alone)
        weights = AS_IT_IS if fitted is None else fitted.earned()
        sharpened[here] = pooling_fit.pool(model[here], market[here], alone)
        together[here] = pooling_fit.pool(model[here], market[here], weights)
    return {SHARPENED: sharpened, POOL: together, DEFAULT: together}


def _reliability(said: Array, winner: npt.NDArray[np.intp]) -> tuple[scores.Bin, ...]:
    """Over all contracts of the events."""
    there = np.isfinite(said)
    paid = np.arange(said.shape[1]) == winner[:, None]
    return scores.reliability(said[there], paid[there])


def _rows(found: Events, every: dict[str, Array], counts: Flags, hour: int) -> list[Row]:
    series = np.array(found.series)
    groups = [(ALL, counts), *((name, counts & (series == name)) for name in dict.fromkeys(found.series))]
    rows = []
    for group, inside in groups:
        for model, said in every.items():
            here = inside & np.isfinite(said[:, 0])
            if here.any():
                rows.append(
                    row(
                        model,
                        group,
                        found.days[here],
                        lead=LEAD_DAYS,
                        hour_utc=hour,
                        log_loss=scores.log_loss(said[here], found.winner[here]),
                        brier=scores.brier_event(said[here], found.winner[here]),
                    )
                )
    return rows
