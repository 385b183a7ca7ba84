"""What every weather model says of each city and day at one lead, with what was known at issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.evaluation.rows import DEFAULT, Counted, Days
from core.models.evaluation.walk import Steps, Walked, fits, walk_emos
from core.models.evaluation.weather_files import LeadSet
from core.models.laws import Array, Law, Mixture, Shape
from core.models.weather import article_normal, climatology, default, dressing, emos, rolling
from core.models.weather.predictors import (
    SCALE_MIN_F,
    Predictors,
    Series,
    corrected,
    known_before,
    predictors,
)

CALIBRATED = "calibrated-sigma"
RECENT = "recent"
MAIN = "blend"
SOURCE_DAYS_MIN = 60
"""Known errors of a further source, at issue, before the default rests on it."""

Laws = Mapping[str, Law | Mixture]
"""By model; arrays by city and day, NaN where it says nothing."""


def steps_of(days: Days, counted: Counted, lead_days: int) -> Steps:
    until = None if counted.fit_until is None else counted.fit_until - int(days[0])
    return Steps(counted.holds(days), lead_days, until)


def laws(data: LeadSet, lead: int, counted: Counted) -> Laws:
    """Models in the order of their tables."""
    steps = steps_of(data.days, counted, lead)
    forecast, outcomes = data.highs[:, lead], data.outcomes
    alone = [predictors(_series(data, city, lead, ())) for city in range(len(data.cities))]
    single = {shape: walk_emos(shape, alone, outcomes, steps) for shape in (Shape.NORMAL, Shape.T6)}
    raw = Law(Shape.NORMAL, forecast, np.where(np.isfinite(forecast), article_normal.SIGMA_F, np.nan))
    return {
        climatology.NAME: walk_climate(data.days, outcomes, steps),
        article_normal.NAME: raw,
        CALIBRATED: Law(Shape.NORMAL, forecast, window(forecast - outcomes, lead)[2]),
        rolling.NAME: rolled(forecast, outcomes, lead),
        RECENT: stacked(alone),
        emos.NAME[Shape.NORMAL]: single[Shape.NORMAL].law,
        emos.NAME[Shape.T6]: single[Shape.T6].law,
        DEFAULT: default.joined(
            _on_all_sources(data, lead, steps, alone, single[Shape.T6]),
            dressed(_counted(data, lead), lead, steps),
        ),
    }


def _on_all_sources(
    data: LeadSet, lead: int, steps: Steps, alone: Sequence[Predictors], single: Walked
) -> Law:
    """EMOS-t on all sources that count for a city by then, averaged with what needs no fit; cities of the
    same sources lean on each other."""
    whole = emos.averaged(single.law, stacked(alone), single.days)
    location, scale = np.array(whole.location), np.array(whole.scale)
    names = tuple(name for name, highs in data.guidance.items() if lead < highs.shape[1])
    if not names:
        return whole
    there = np.isfinite(np.stack([data.guidance[name][:, lead] for name in names]))
    heard = np.logical_or.accumulate(there, axis=-1)
    proven = np.stack([_counts(data, data.guidance[name], lead) for name in names])
    for has in np.unique(proven.reshape(len(names), -1), axis=1).T:
        here = (proven == has[:, None, None]).all(axis=0) & steps.wanted
        if not has.any() or not here.any():
            continue
        kind = tuple(name for name, counts in zip(names, has, strict=True) if counts)
        every = heard[has].all(axis=0)
        members = np.flatnonzero(every.any(axis=1))
        known = [predictors(_series(data, int(city), lead, kind)) for city in members]
        needed = Steps(here.any(axis=0), lead, steps.fit_until)
        since = [int(first) for first in every[members].argmax(axis=1)]
        walked = walk_emos(Shape.T6, known, data.outcomes[members], needed, since)
        law = emos.averaged(walked.law, stacked(known), walked.days)
        mine = here[members]
        location[members] = np.where(mine, law.location, location[members])
        scale[members] = np.where(mine, law.scale, scale[members])
    return Law(Shape.T6, location, scale)


def _counts(data: LeadSet, told: Array, lead: int) -> npt.NDArray[np.bool_]:
    """Where (by city and day) the default rests on a further source."""
    errors = np.isfinite(told[:, lead]) & np.isfinite(data.outcomes)
    return np.asarray(known_before(errors, lead + 1) >= SOURCE_DAYS_MIN)


def _counted(data: LeadSet, lead: int) -> LeadSet:
    """Without what a further source told before it counted."""
    guidance = {
        name: np.where(_counts(data, told, lead)[:, None], told, np.nan)
        for name, told in data.guidance.items()
        if lead < told.shape[1]
    }
    return msgspec.structs.replace(data, guidance=guidance)


def dressed(data: LeadSet, lead: int, steps: Steps) -> Mixture:
    """The sources of each city as members; NaN where it has but one."""
    cities = range(len(data.cities))
    return walk_dressing([_series(data, city, lead, _sources(data, city, lead)) for city in cities], steps)


def stacked(known: Sequence[Predictors]) -> Law:
    every = [emos.recent(rows) for rows in known]
    return Law(Shape.NORMAL, np.stack([r.location for r in every]), np.stack([r.scale for r in every]))


def _sources(data: LeadSet, city: int, lead: int) -> tuple[str, ...]:
    """Guidance the city has at this lead."""
    return tuple(
        name
        for name, highs in data.guidance.items()
        if lead < highs.shape[1] and np.isfinite(highs[city, lead]).any()
    )


def _series(data: LeadSet, city: int, lead: int, guidance: Sequence[str]) -> Series:
    highs = data.highs[city]
    unknown = np.full(data.days.size, np.nan)
    earlier = tuple(highs[at] if at < highs.shape[0] else unknown for at in (lead + 1, lead + 2))
    day_before = unknown
    if lead > 0:
        day_before = np.concatenate(([np.nan], highs[lead - 1][:-1]))
    return Series(
        first_ordinal=int(data.days[0]),
        lead_days=lead,
        outcomes=data.outcomes[city],
        forecasts={MAIN: highs[lead], **{name: data.guidance[name][city, lead] for name in guidance}},
        earlier=earlier,
        day_before=day_before,
        extras={name: values[city, lead] for name, values in data.extras.items()},
    )


def walk_dressing(series: Sequence[Series], steps: Steps) -> Mixture:
    """Sources as members, dressed; by place and day, NaN without a kernel or with one source only."""
    size = max(len(one.forecasts) for one in series)
    shape = (size, len(series), series[0].outcomes.size)
    weights, locations, scales = (np.full(shape, np.nan) for _ in range(3))
    for at, one in enumerate(series):
        members = corrected(one).T

        def fit(seen: int, members: Array = members, one: Series = one) -> dressing.Kernel | None:
            past = members[:seen]
            if np.isfinite(past).any(axis=0).sum() < 2:
                return None
            return dressing.fit(past, one.outcomes[:seen])

        for kernel, block in fits(steps, fit):
            if kernel is not None:
                law = dressing.predict(kernel, members[block])
                # A place of fewer members than another has parts of no weight.
                weights[:, at, block], locations[:, at, block], scales[:, at, block] = 0.0, 0.0, 1.0
                for k, (weight, part) in enumerate(zip(law.weights, law.parts, strict=True)):
                    weights[k, at, block] = weight
                    locations[k, at, block], scales[k, at, block] = part.location, part.scale
    parts = tuple(Law(Shape.NORMAL, locations[k], scales[k]) for k in range(size))
    return Mixture(tuple(weights), parts)


def walk_climate(days: Days, outcomes: Array, steps: Steps) -> Law:
    location, scale = np.full(outcomes.shape, np.nan), np.full(outcomes.shape, np.nan)
    for city, observed in enumerate(outcomes):

        def fit(seen: int, observed: Array = observed) -> climatology.Climate | None:
            return climatology.fit(days[:seen], observed[:seen])

        for climate, block in fits(steps, fit):
            if climate is not None:
                law = climatology.predict(climate, days[block])
                location[city, block], scale[city, block] = law.location, law.scale
    return Law(Shape.NORMAL, location, scale)


def rolled(forecast: Array, outcomes: Array, lead: int) -> Law:
    """The rolling model, as ``core.models.weather.rolling`` has it."""
    bias, sigma, _ = window(forecast - outcomes, lead)
    return Law(Shape.NORMAL, forecast - bias, sigma)


def window(errors: Array, lead: int) -> tuple[Array, Array, Array]:
    """Mean, spread and root mean square of each city's last known errors at issue (``rolling.DAYS_USED`` of
    them, NaN below ``rolling.DAYS_MIN``), never less than rounding leaves."""
    mean, sigma, size = (np.full(errors.shape, np.nan) for _ in range(3))
    for city, row in enumerate(errors):
        at = np.flatnonzero(np.isfinite(row))
        sums = np.concatenate(([0.0], np.cumsum(row[at])))
        squares = np.concatenate(([0.0], np.cumsum(row[at] ** 2)))
        known = np.searchsorted(at, np.arange(row.size) - lead, "left")
        count = np.minimum(known, rolling.DAYS_USED)
        used = np.where(count >= rolling.DAYS_MIN, count, np.nan)
        total = sums[known] - sums[known - count]
        square = squares[known] - squares[known - count]
        mean[city] = total / used
        variance = np.maximum(square - total**2 / used, 0.0) / (used - 1)
        sigma[city] = np.maximum(SCALE_MIN_F, np.sqrt(variance * (1.0 + 1.0 / used)))
        size[city] = np.maximum(SCALE_MIN_F, np.sqrt(np.maximum(square, 0.0) / used))
    return mean, sigma, size
