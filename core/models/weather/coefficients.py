"""What was learned from the histories, as one file: coefficients, what they rest on, and how good they were.

``coefficients.json`` holds, for every station, lead and extreme that could be fitted, the parameters, the
sources they were fitted on, walk-forward scores, and the newest days of the history, as a forecast's recent
errors are part of its correction. It is read whole or not at all: a file that is torn, edited, of another
world or of terms that this version does not know gives one sentence and no coefficient.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

import msgspec
import numpy as np

from core.domain.market import Extreme
from core.domain.text import clean_text
from core.models.laws import Array, Law, Mixture, Shape
from core.models.weather.dressing import Kernel
from core.models.weather.emos import Parameters, absent
from core.models.weather.history import PastDay
from core.models.weather.predictors import ERRORS_MIN, FROZEN_DAYS, Predictors, Series, moving, predictors

FORMAT: Final = 2
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FITTED_SHAPES: Final = (Shape.NORMAL, Shape.T6)
_F_MAX: Final = 200.0


class CoefficientsError(Exception):
    """A file cannot be used; the text says what is wrong with it."""


class Recent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest days of the history, one after the other from ``first``; degrees F, ``None`` for a gap."""

    first: str
    outcomes: tuple[float | None, ...]
    forecasts: dict[str, tuple[float | None, ...]]
    """By source, the main one first."""

    @property
    def last(self) -> str:
        return (date.fromisoformat(self.first) + timedelta(days=len(self.outcomes) - 1)).isoformat()


class Scored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model did on days it had not seen, refitted as time went by."""

    model: str
    days: int
    crps_f: float
    log_score: float
    """Of the settled whole degree."""
    cov80: float
    """Share of outcomes in the central 80 %."""


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One station, lead and extreme."""

    station: str
    lead_days: int
    extreme: Extreme
    days: int
    """With a forecast and an outcome."""
    first: str
    last: str
    normal: Parameters
    t6: Parameters
    recent: Recent
    kernel: Kernel | None = None
    """Around each source, in their order; ``None`` for a single one or too few days."""
    scores: tuple[Scored, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.recent.forecasts)

    def parameters(self, shape: Shape) -> Parameters:
        return self.normal if shape is Shape.NORMAL else self.t6


Key = tuple[str, int, Extreme]
DAYS_REMEMBERED = 2
"""A fit of the day ahead is asked of tomorrow, and of today for how the spread grows."""


class Coefficients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    format: int
    world: str
    """``real``, or ``sim``: what was learned in a simulated world says nothing of any other."""
    calendar_offset_days: int
    """Days by which the world they are of is ahead of the recorded ones: another one replays the same days
    under its own dates. 0 where time is real."""
    fitted_at: str
    data_sha256: str
    """Of the histories they were fitted on."""
    fits: tuple[Fit, ...]
    seal: str = ""
    """SHA-256 of the file with this field empty."""


class Learned:
    """A file that was read, by what its fits are of."""

    def __init__(self, held: Coefficients, world_offset_days: int = 0) -> None:
        """``world_offset_days`` is that of the world whose days are asked for."""
        self.held = held
        self.mark = held.seal[:12]
        self._offset_days = world_offset_days - held.calendar_offset_days
        self._fits = {(fit.station, fit.lead_days, fit.extreme): fit for fit in held.fits}
        self._sources: dict[tuple[str, Extreme], frozenset[str]] = {}
        for fit in held.fits:
            of = (fit.station, fit.extreme)
            self._sources[of] = self._sources.get(of, frozenset()) | frozenset(fit.sources)
        self._memo: dict[tuple[Key, str], dict[str, tuple[Today, Predicted]]] = {}
        """By the fit and the model, then by day."""

    def sources(self, station: str, extreme: Extreme) -> frozenset[str]:
        """What anything was fitted on there."""
        return self._sources.get((station, extreme), frozenset())

    def fit(self, station: str, lead_days: int, extreme: Extreme) -> Fit | None:
        return self._fits.get((station, lead_days, extreme))

    def last(self, fit: Fit) -> str:
        """The newest day with a forecast and an outcome, in the calendar of the world that asks. What is kept
        of the history may go on after it, with days of which this station knows nothing."""
        return _moved(fit.last, self._offset_days)

    def past(self, fit: Fit) -> tuple[PastDay, ...]:
        """What its main source said of the newest days and what they became, in the calendar of the world
        that asks."""
        said = zip(fit.recent.outcomes, fit.recent.forecasts[fit.sources[0]], strict=True)
        first = _moved(fit.recent.first, self._offset_days)
        return tuple(
            PastDay(fit.station, _moved(first, index), fit.lead_days, f, int(became))
            for index, (became, f) in enumerate(said)
            if became is not None and f is not None
        )

    def predicted(self, fit: Fit, today: Today, model: str, predict: Predict) -> Predicted:
        """The law of a day by the model of that name; made anew only where a forecast has changed."""
        days = self._memo.setdefault(((fit.station, fit.lead_days, fit.extreme), model), {})
        held = days.get(today.day)
        if held is None or held[0] != today:
            moved = msgspec.structs.replace(today, day=_moved(today.day, -self._offset_days))
            series = series_of(fit.recent, fit.lead_days, moved)
            known = predictors(series).rows(slice(-1, None))
            said = predict(fit, known)
            law = said.parts[0] if isinstance(said, Mixture) else said
            found = Predicted(
                law.shape,
                float(law.mean[0]),
                float(law.sd[0]),
                float(known.known[0]),
                absent(fit.parameters(law.shape), known),
                _humps(said),
                tuple(_uncounted(series, known)),
            )
            held = days[today.day] = (today, found)
            if len(days) > DAYS_REMEMBERED:
                del days[min(days)]
        return held[1]


class Today(msgspec.Struct, frozen=True):
    """What is said of the day that is to be predicted; ``None`` where nothing is known."""

    day: str
    forecasts: tuple[float | None, ...]
    """In the order of the fit's sources."""
    earlier: tuple[float | None, ...] = ()
    """What the main source said of it one day before its newest issue, and two."""
    day_before: float | None = None
    """What the main source says of the day before."""


class Hump(msgspec.Struct, frozen=True):
    """A normal with its weight in a mixture, degrees F."""

    weight: float
    mean: float
    sigma: float


class Predicted(msgspec.Struct, frozen=True):
    """A law of one day, degrees F; NaN where nothing can be said."""

    shape: Shape
    mean: float
    sigma: float
    errors: float
    """Past errors of the mean there were."""
    uncorrected: tuple[str, ...] = ()
    """Terms that correct nothing, as their input is missing."""
    humps: tuple[Hump, ...] = ()
    """What else takes part in it, beside the law with the rest of the weight."""
    uncounted: tuple[tuple[str, str], ...] = ()
    """Sources that say something which takes no part in it, each with the reason."""


Predict = Callable[[Fit, Predictors], Law | Mixture]


def _humps(said: Law | Mixture) -> tuple[Hump, ...]:
    """The parts of one day's mixture but the first that have a weight."""
    if isinstance(said, Law):
        return ()
    return tuple(
        Hump(float(np.asarray(weight)[0]), float(part.mean[0]), float(part.sd[0]))
        for weight, part in zip(said.weights[1:], said.parts[1:], strict=True)
        if float(np.asarray(weight)[0]) > 0.0
    )


def _uncounted(series: Series, known: Predictors) -> Iterator[tuple[str, str]]:
    for (source, values), member in zip(series.forecasts.items(), known.members[:, -1], strict=True):
        if np.isfinite(values[-1]) and not np.isfinite(member):
            still = not np.isfinite(moving(values)[-1])
            yield (
                source,
                f"says {values[-1]:.1f}F for the {FROZEN_DAYS}th day or more: it stands still"
                if still
                else f"has fewer than {ERRORS_MIN} known errors",
            )


def series_of(recent: Recent, lead_days: int, today: Today) -> Series:
    """A history with one day behind it, of which nothing came yet."""
    first, day = date.fromisoformat(recent.first), date.fromisoformat(today.day)
    held, size = len(recent.outcomes), max(1, (day - first).days + 1)
    held = min(held, size - 1)  # of a day that is in the history already, what came is not known yet
    outcomes = np.full(size, np.nan)
    outcomes[:held] = _array(recent.outcomes[:held])
    forecasts = {}
    for source, f in zip(recent.forecasts, today.forecasts, strict=True):
        values = np.full(size, np.nan)
        values[:held] = _array(recent.forecasts[source][:held])
        values[-1] = _nan(f)
        forecasts[source] = values
    return Series(
        first_ordinal=first.toordinal(),
        lead_days=lead_days,
        outcomes=outcomes,
        forecasts=forecasts,
        earlier=tuple(_last(size, f) for f in today.earlier),
        day_before=_last(size, today.day_before),
    )


def _last(size: int, f: float | None) -> Array:
    values = np.full(size, np.nan)
    values[-1] = _nan(f)
    return values


def _array(values: tuple[float | None, ...]) -> Array:
    return np.array([_nan(value) for value in values], dtype=np.float64)


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _moved(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


# --- the file -------------------------------------------------------------------------------------


def sealed(content: Coefficients) -> Coefficients:
    """With its seal."""
    return msgspec.structs.replace(content, seal=_seal(content))


def encode(content: Coefficients) -> bytes:
    """The file's bytes."""
    return msgspec.json.encode(content) + b"\n"


def decode(raw: bytes, world: str) -> Coefficients:
    """The file's content for a desk of ``world``; raises ``CoefficientsError``."""
    if len(raw) > FILE_BYTES_MAX:
        raise CoefficientsError(f"it has {len(raw) >> 20} MB, no such file is longer than 64")
    try:
        found = msgspec.json.decode(raw, type=Coefficients)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CoefficientsError(f"it does not read: {clean_text(str(error), 160)}") from None
    if found.format != FORMAT:
        raise CoefficientsError(f"it is of format {found.format}, this version reads {FORMAT}")
    if found.seal != _seal(found):
        raise CoefficientsError("its content is not what was written: its seal does not fit")
    if found.world != world:
        raise CoefficientsError(f"it was fitted in a {found.world} world and this desk's is {world}")
    if fault := next(_faults(found), ""):
        raise CoefficientsError(fault)
    return found


def _seal(content: Coefficients) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(content, seal=""))).hexdigest()


def _faults(content: Coefficients) -> Iterator[str]:
    seen: set[Key] = set()
    for fit in content.fits:
        key = (fit.station, fit.lead_days, fit.extreme)
        name = f"{fit.station} {fit.extreme.value} at lead {fit.lead_days}"
        if key in seen:
            yield f"{name} is in it twice"
        seen.add(key)
        yield from (f"{name}: {fault}" for fault in _fit_faults(fit))


def _fit_faults(fit: Fit) -> Iterator[str]:
    recent = fit.recent
    try:
        newest, last = map(date.fromisoformat, (fit.last, recent.last))
    except (ValueError, OverflowError):
        yield "its history begins or ends on no day"
        return
    if not recent.forecasts or not recent.outcomes:
        yield "it has no history"
        return
    if newest > last:
        yield f"its history ends {newest}, and what is kept of it {last}"
    if any(len(values) != len(recent.outcomes) for values in recent.forecasts.values()):
        yield "its history is not equally long for all sources"
        return
    values = itertools.chain(recent.outcomes, *recent.forecasts.values())
    if not all(f is None or abs(f) <= _F_MAX for f in values):
        yield "its history holds what no thermometer shows"
    if fit.lead_days < 0 or (fit.normal.shape, fit.t6.shape) != FITTED_SHAPES:
        yield "its parameters are of another law than they stand under"
    silent = (None,) * len(recent.forecasts)
    terms = predictors(series_of(recent, max(0, fit.lead_days), Today(recent.last, silent))).terms
    for parameters in (fit.normal, fit.t6):
        if unknown := sorted(parameters.terms - terms.keys()):
            yield f"term {unknown[0][:40]!r} is none of this version's"
        if not all(map(math.isfinite, _coefficients(parameters))):
            yield "a coefficient is no number"
    if fit.kernel is not None and not _dresses(fit.kernel, len(recent.forecasts)):
        yield "its kernel does not fit its sources"


def _dresses(kernel: Kernel, sources: int) -> bool:
    weights = kernel.weights
    whole = len(weights) == sources and all(weight >= 0.0 for weight in weights)
    return whole and math.isclose(sum(weights), 1.0, abs_tol=1e-6) and 0.0 < kernel.scale_f <= _F_MAX


def _coefficients(parameters: Parameters) -> Iterator[float]:
    yield from parameters.mean.values()
    yield from parameters.spread.values()
