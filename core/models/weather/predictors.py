"""What a statistical forecast rests on: a station's past forecasts and outcomes as named numbers, a day each.

One function makes them for fitting, for scoring and for tomorrow's price, so that a coefficient never meets
another definition of its predictor than it was fitted with. Nothing of a day rests on what was not known
when its forecast was issued: outcomes count from ``lead + 1`` days before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array
from core.models.weather.climatology import harmonics

HALF_LIFE_DAYS = {"fast": 4.0, "recent": 12.0, "long": 60.0}
"""Of the weights of past errors. Twelve days is the best single one for the bias of a blend at lead 1."""
SCALE_HALF_LIFE_DAYS = 45.0
SCALE_MIN_F = 0.3
"""What rounding to whole degrees leaves of a perfect forecast."""
ERRORS_MIN = 15
"""Known errors before a recent one is told."""
FROZEN_DAYS = 8
"""A source that says the same so often has stopped. Five models at 20 stations never did for more than 5; in
whole degrees, as guidance is told, one did on 8 of 85,000 days."""

_APART_OFFSET_F = 0.7
_APART_USUAL_F = 1.5


class Series(msgspec.Struct, frozen=True):
    """One station at one lead, a column for each of many consecutive days; degrees Fahrenheit, NaN where
    nothing is known. To price a day, let it be the last, without an outcome."""

    first_ordinal: int
    """Of the first day, as ``date.toordinal`` gives it."""
    lead_days: int
    outcomes: Array
    forecasts: Mapping[str, Array]
    """By source; the first one is the main source."""
    earlier: tuple[Array, ...] = ()
    """What the main source said of the same day one issue before, and two."""
    day_before: Array | None = None
    """What the main source's same issue says of the day before."""
    extras: Mapping[str, Array] = {}
    """More of the main source: ``low`` (F), ``cloud`` (%), ``precipitation`` (chance, %)."""


class Predictors(msgspec.Struct, frozen=True):
    """``anchor`` is the forecast less its recent error (the mean over sources), to be corrected; ``terms``
    are what corrects it and tells its spread, each about one in size and zero where nothing is to be said;
    NaN where an input is missing."""

    anchor: Array
    terms: Mapping[str, Array]
    scale: Array
    """Recent root mean square of ``anchor``'s errors, F."""
    known: Array
    """Past errors of the anchor there were."""
    members: Array
    """What each source (first axis) says less its recent error."""

    def rows(self, which: slice | npt.NDArray[np.bool_]) -> Predictors:
        terms = {name: values[which] for name, values in self.terms.items()}
        return Predictors(
            self.anchor[which], terms, self.scale[which], self.known[which], self.members[:, which]
        )


def joined(parts: tuple[Predictors, ...]) -> Predictors:
    """Rows of several stations one after the other; all have the same terms."""
    return Predictors(
        np.concatenate([p.anchor for p in parts]),
        {name: np.concatenate([p.terms[name] for p in parts]) for name in parts[0].terms},
        np.concatenate([p.scale for p in parts]),
        np.concatenate([p.known for p in parts]),
        np.concatenate([p.members for p in parts], axis=1),
    )


def corrected(series: Series) -> Array:
    """Each source's forecasts (first axis) less its recent error; NaN where that is not known, and where the
    source is frozen."""
    sources = moving(np.stack(list(series.forecasts.values())))
    errors = sources - series.outcomes
    return np.asarray(sources - _faded(errors, HALF_LIFE_DAYS["recent"], series.lead_days + 1))


def moving(values: Array) -> Array:
    """``values`` by day (last axis) without those that repeat for the ``FROZEN_DAYS``-th time or more. A day
    without one neither counts nor ends a standstill: a history ends some days before the day to be priced."""
    known = np.isfinite(values)
    newest = np.maximum.accumulate(np.where(known, np.arange(values.shape[-1]), 0), axis=-1)
    before = np.full(values.shape, np.nan)
    before[..., 1:] = np.take_along_axis(values, newest, axis=-1)[..., :-1]
    count = np.cumsum(known, axis=-1)
    since = np.maximum.accumulate(np.where(known & (values != before), count, 0), axis=-1)
    return np.where(known & (count - since + 1 >= FROZEN_DAYS), np.nan, values)


def predictors(series: Series) -> Predictors:
    """One row for each day of ``series``."""
    lag = series.lead_days + 1
    main = moving(next(iter(series.forecasts.values())))
    members = corrected(series)
    anchor = _mean_known(members)
    errors, errors_main = anchor - series.outcomes, main - series.outcomes
    scale = _scale(errors, errors_main, lag)
    recent_main = main - members[0]
    known_outcome, known_error = _shifted(series.outcomes, lag), _shifted(errors_main, lag)
    unknown = np.full(main.shape, np.nan)
    earlier = (*series.earlier, unknown, unknown)[:2]
    day_before = unknown if series.day_before is None else series.day_before
    issues = np.stack([main, *earlier])
    season = harmonics(series.first_ordinal + np.arange(main.size))
    terms = {
        "constant": np.ones(main.shape),
        "level": (main - 65.0) / 20.0,
        "error_fast": (_faded(errors_main, HALF_LIFE_DAYS["fast"], lag) - recent_main) / 2.0,
        "error_long": _faded(errors_main, HALF_LIFE_DAYS["long"], lag) - recent_main,
        "error_last": (known_error - recent_main) / 5.0,
        "revision": (main - earlier[0]) / 5.0,
        "revision_before": (earlier[0] - earlier[1]) / 5.0,
        "change": (main - day_before) / 10.0,
        "persistence": (main - known_outcome) / 10.0,
        "season_cos": season[:, 1],
        "season_sin": season[:, 2],
        "season_cos2": season[:, 3],
        "season_sin2": season[:, 4],
        "log_scale": np.log(scale / 3.0),
        "log_unsettled": _log_apart(issues),
    }
    if "low" in series.extras:
        terms["range"] = (main - series.extras["low"] - 20.0) / 10.0
    if "cloud" in series.extras:
        terms["cloud"] = (series.extras["cloud"] - 50.0) / 50.0
    if "precipitation" in series.extras:
        terms["precipitation"] = (series.extras["precipitation"] - 30.0) / 30.0
    if len(series.forecasts) > 1:
        terms["log_apart"] = _log_apart(members)
        for name, values in zip(series.forecasts, members, strict=True):
            terms[source_term(name)] = (values - anchor) / 3.0
    return Predictors(anchor, terms, scale, known_before(np.isfinite(errors), lag), members)


def _scale(errors: Array, errors_main: Array, lag: int) -> Array:
    """Recent size of the anchor's errors; until enough of them are known, of the main source's around their
    own mean."""
    square = _faded(errors**2, SCALE_HALF_LIFE_DAYS, lag)
    mean_main = _faded(errors_main, SCALE_HALF_LIFE_DAYS, lag)
    around = _faded(errors_main**2, SCALE_HALF_LIFE_DAYS, lag) - mean_main**2
    first = np.maximum(around, 0.0) * (1.0 + 1.0 / ERRORS_MIN)
    return np.maximum(SCALE_MIN_F, np.sqrt(np.where(np.isfinite(square), square, first)))


def source_term(source: str) -> str:
    """Name of the term by which one of several sources pulls the mean towards itself."""
    return f"source_{source}"


def _faded(values: Array, half_life_days: float, lag: int) -> Array:
    """Mean over the days (last axis) up to ``lag`` before each, weights halved every ``half_life_days``."""
    fade = 0.5 ** (1.0 / half_life_days)
    known = np.isfinite(values)
    total = _running(np.where(known, values, 0.0), fade)
    weight = _running(known.astype(np.float64), fade)
    means = np.full(values.shape, np.nan)
    enough = np.cumsum(known, axis=-1) >= ERRORS_MIN
    means[..., lag:] = np.where(enough, total / np.maximum(weight, 1e-12), np.nan)[..., :-lag]
    return means


def _running(values: Array, fade: float) -> Array:
    """Sums of all values so far (last axis), each faded by its age; windows double until they hold all."""
    sums = np.array(values)
    width = 1
    while width < sums.shape[-1]:
        sums[..., width:] = sums[..., width:] + fade**width * sums[..., :-width]
        width *= 2
    return sums


def _shifted(values: Array, lag: int) -> Array:
    """Each day's column is that of ``lag`` days before."""
    moved = np.full(values.shape, np.nan)
    moved[lag:] = values[:-lag]
    return moved


def known_before(known: npt.NDArray[np.bool_], lag: int) -> Array:
    """How many days (last axis) were ``known`` up to ``lag`` before each."""
    counts = np.zeros(known.shape)
    counts[..., lag:] = np.cumsum(known, axis=-1)[..., :-lag]
    return counts


def _mean_known(values: Array) -> Array:
    """Mean over the first axis of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _log_apart(values: Array) -> Array:
    """How far several numbers for one day (first axis) are apart, zero where as usual."""
    return np.asarray(np.log((_sd_known(values) + _APART_OFFSET_F) / (_APART_USUAL_F + _APART_OFFSET_F)))


def _sd_known(values: Array) -> Array:
    """Standard deviation over the first axis of what is known; NaN for fewer than two."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    apart = np.where(known, values - _mean_known(values), 0.0)
    return np.where(count > 1, np.sqrt((apart**2).sum(axis=0) / np.maximum(count - 1, 1)), np.nan)
