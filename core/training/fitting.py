"""From the histories to coefficients: every station, lead and extreme fitted, and scored on days it had not
seen.

A process of its own does this, as it takes seconds. Stations whose forecasts come from the same sources lean
on each other (``emos_fit``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from core.domain.market import Extreme
from core.models import scores
from core.models.evaluation.walk import Steps, fit_stations, walk_emos
from core.models.evaluation.weather_laws import rolled, stacked, walk_dressing
from core.models.laws import Array, Law, Mixture, Shape
from core.models.weather import article_normal, default, dressing, emos, emos_fit, rolling
from core.models.weather.coefficients import FITTED_SHAPES, Fit, Recent, Scored
from core.models.weather.predictors import Predictors, Series, moving, predictors
from core.training import guidance, previous_runs
from core.training.archive import OUTCOMES, Figures, Key

LEADS: Final = (0, 1, 2)
SOURCES: Final = (*previous_runs.MODELS, guidance.MODEL)
"""The main one first."""
COVERED_MIN: Final = 0.8
"""Share of the days with an outcome that a source must tell of without standing still, over all of them and
over the newest."""
NEWEST_DAYS: Final = 60
_TOO_LITTLE: Final = (
    f"is silent or stands still on more than {1 - COVERED_MIN:.0%} of the days with an outcome, of all or of "
    f"the newest {NEWEST_DAYS}"
)
RECENT_DAYS: Final = 400
"""Of history that goes into the file: weights of older days have faded away."""
SCORED_DAYS: Final = 365
"""The newest days, each predicted by a fit that ends before it."""
DAYS_MIN: Final = 60
"""With a forecast and an outcome at a station; the others' count for it too, but not alone."""


class Sample(msgspec.Struct, frozen=True):
    """One station, lead and extreme as arrays, a column a day; all samples have the same days."""

    station: str
    lead_days: int
    extreme: Extreme
    first: date
    series: Series
    known: Predictors
    lacking: tuple[str, ...]
    """Sources that tell of some days, and of too few to be one of ``sources``."""

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.series.forecasts)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Days with an anchor and an outcome."""
        return np.isfinite(self.known.anchor) & np.isfinite(self.series.outcomes)

    def day(self, index: int) -> str:
        return (self.first + timedelta(days=index)).isoformat()


class Unfitted(msgspec.Struct, frozen=True):
    """What could not be fitted, or was fitted without a source that its history has, and why."""

    station: str
    lead_days: int
    extreme: Extreme
    reason: str


class Fitted(msgspec.Struct, frozen=True):
    fits: tuple[Fit, ...]
    unfitted: tuple[Unfitted, ...]
    lacking: tuple[Unfitted, ...] = ()
    """Of the fits."""


def fit_all(histories: Mapping[str, Figures], tell: Callable[[str], None]) -> Fitted:
    """Everything that the histories (by station) are long enough for. ``tell`` hears of each lead."""
    told = [key.day for figures in histories.values() for key in figures if key.lead_days is not None]
    if not told:
        return Fitted((), ())
    first, last = date.fromisoformat(min(told)), date.fromisoformat(max(told))
    fits: list[Fit] = []
    unfitted: list[Unfitted] = []
    lacking: list[Unfitted] = []
    for extreme in Extreme:
        for lead in LEADS:
            groups: dict[tuple[str, ...], list[Sample]] = {}
            for station, figures in histories.items():
                found = sample(station, figures, lead, extreme, first, last)
                if isinstance(found, str):
                    unfitted.append(Unfitted(station, lead, extreme, found))
                else:
                    groups.setdefault(found.sources, []).append(found)
            for group in groups.values():
                tell(f"{extreme.value} at lead {lead}: {', '.join(one.station for one in group)}")
                made = _fit_group(group)
                fits += made
                if made:
                    lacking += [
                        Unfitted(one.station, lead, extreme, f"{source} {_TOO_LITTLE}")
                        for one in group
                        for source in one.lacking
                    ]
                if not made:
                    days = int(np.any([one.usable for one in group], axis=0).sum())
                    reason = (
                        f"{days} past days with a forecast and an outcome at all stations of its sources "
                        f"together, {emos_fit.DAYS_MIN} needed"
                    )
                    unfitted += [Unfitted(one.station, lead, extreme, reason) for one in group]
    fits.sort(key=lambda fit: (fit.station, fit.extreme.value, fit.lead_days))
    return Fitted(tuple(fits), tuple(unfitted), tuple(lacking))


def reasons(those: Sequence[Unfitted]) -> Iterator[str]:
    """What could not be fitted, or what was without a source, each reason once."""
    found: dict[str, list[str]] = {}
    for one in those:
        found.setdefault(one.reason, []).append(f"{one.station} {one.extreme.value} lead {one.lead_days}")
    for reason, of in found.items():
        more = f" and {len(of) - 6} more" if len(of) > 6 else ""
        yield f"{', '.join(of[:6])}{more}: {reason}"


# --- from figures to arrays -----------------------------------------------------------------------


def sample(
    station: str, figures: Figures, lead: int, extreme: Extreme, first: date, last: date
) -> Sample | str:
    """One station's history at a lead, or why it cannot be fitted."""
    names = [(first + timedelta(days=index)).isoformat() for index in range((last - first).days + 1)]

    def column(lead_days: int | None, source: str) -> Array:
        values = [figures.get(Key(day, extreme, lead_days, source)) for day in names]
        return np.array([np.nan if value is None else value for value in values])

    outcomes = np.full(len(names), np.nan)
    for source in OUTCOMES:
        outcomes = np.where(np.isfinite(outcomes), outcomes, column(None, source))
    told = {source: column(lead, source) for source in SOURCES}
    forecasts = {source: values for source, values in told.items() if _covers(moving(values), outcomes)}
    if not forecasts:
        return "no source tells of nearly all days that have an outcome"
    main, before = next(iter(forecasts)), np.full(len(names), np.nan)
    if lead > 0:
        before[1:] = column(lead - 1, main)[:-1]
    earlier = (column(lead + 1, main), column(lead + 2, main))
    series = Series(first.toordinal(), lead, outcomes, forecasts, earlier, before)
    lacking = tuple(s for s, values in told.items() if s not in forecasts and np.isfinite(values).any())
    found = Sample(station, lead, extreme, first, series, predictors(series), lacking)
    days = int(found.usable.sum())
    if days < DAYS_MIN:
        return f"{days} past days with a forecast and an outcome, {DAYS_MIN} needed"
    return found


def _covers(told: Array, outcomes: Array) -> bool:
    """Whether a source tells of nearly all days that have an outcome, the newest too."""
    for since in (0, max(0, outcomes.size - NEWEST_DAYS)):
        wanted = np.isfinite(outcomes[since:])
        if not wanted.any() or (np.isfinite(told[since:]) & wanted).sum() < COVERED_MIN * wanted.sum():
            return False
    return True


# --- fits and their scores ------------------------------------------------------------------------


def _fit_group(group: Sequence[Sample]) -> list[Fit]:
    """Stations of the same sources together; none where they have too few days."""
    known = [one.known for one in group]
    outcomes = np.stack([one.series.outcomes for one in group])
    fitted = [fit_stations(shape, known, outcomes, outcomes.shape[1]) for shape in FITTED_SHAPES]
    if not all(fitted):
        return []
    told = walked(group)
    return [
        _fit(one, normal, t6, _scores(told, outcomes, index))
        for index, (one, normal, t6) in enumerate(zip(group, *fitted, strict=True))
    ]


def _fit(one: Sample, normal: emos.Parameters, t6: emos.Parameters, scored: tuple[Scored, ...]) -> Fit:
    usable = np.flatnonzero(one.usable)
    since = max(0, one.series.outcomes.size - RECENT_DAYS)
    recent = Recent(
        one.day(since),
        _told(one.series.outcomes[since:]),
        {source: _told(values[since:]) for source, values in one.series.forecasts.items()},
    )
    return Fit(
        station=one.station,
        lead_days=one.lead_days,
        extreme=one.extreme,
        days=usable.size,
        first=one.day(int(usable[0])),
        last=one.day(int(usable[-1])),
        normal=normal,
        t6=t6,
        recent=recent,
        kernel=_kernel(one),
        scores=scored,
    )


def _kernel(one: Sample) -> dressing.Kernel | None:
    if len(one.sources) < 2:
        return None
    return dressing.fit(one.known.members.T, one.series.outcomes)


def _told(values: Array) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values)


def walked(group: Sequence[Sample]) -> dict[str, Law | Mixture]:
    """What each model said of the newest days with what was known then; arrays by station and day. Stations
    must have the same sources."""
    lead = group[0].lead_days
    known = [one.known for one in group]
    outcomes = np.stack([one.series.outcomes for one in group])
    steps = Steps(np.arange(outcomes.shape[1]) >= outcomes.shape[1] - SCORED_DAYS, lead)
    walked = {shape: walk_emos(shape, known, outcomes, steps) for shape in FITTED_SHAPES}
    raw = np.stack([one.series.forecasts[one.sources[0]] for one in group])
    fitted = emos.averaged(walked[Shape.T6].law, stacked(known), walked[Shape.T6].days)
    dressed = walk_dressing([one.series for one in group], steps)
    return {
        default.NAME: default.joined(fitted, dressed),
        dressing.NAME: dressed,
        **{emos.NAME[shape]: of.law for shape, of in walked.items()},
        rolling.NAME: rolled(raw, outcomes, lead),
        article_normal.NAME: Law(Shape.NORMAL, raw, np.full(raw.shape, article_normal.SIGMA_F)),
    }


def _scores(told: Mapping[str, Law | Mixture], outcomes: Array, station: int) -> tuple[Scored, ...]:
    """Of the newest days on which every model says something; of dressing, which needs two sources on a day,
    where it does on all of them."""
    size = outcomes.shape[1]
    counted = np.isfinite(outcomes[station]) & (np.arange(size) >= size - SCORED_DAYS)
    known = {
        model: np.isfinite(law.mean[station]) & np.isfinite(law.sd[station]) for model, law in told.items()
    }
    for model, there in known.items():
        if model != dressing.NAME:
            counted &= there
    if not counted.any():
        return ()
    days = np.flatnonzero(counted)
    rows = (np.full(days.size, station), days)
    return tuple(
        _scored(model, law.rows(rows), outcomes[rows])
        for model, law in told.items()
        if known[model][counted].all()
    )


def _scored(model: str, law: Law | Mixture, became: Array) -> Scored:
    low, high = scores.stretch(law, became)
    return Scored(
        model,
        became.size,
        round(float(scores.crps(law, became).mean()), 4),
        round(float(scores.log_score(high - low).mean()), 4),
        round(float(scores.covered(low, high, 0.8).mean()), 4),
    )
