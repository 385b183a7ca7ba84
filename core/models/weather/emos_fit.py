"""Fitting EMOS: minimum CRPS for the normal, maximum likelihood for the t, both with a small ridge.

Not for the engine's loop: a fit takes its time. A station's coefficients are pulled towards those
of all stations together (``prior``) as if that were ``PRIOR_DAYS`` days of evidence: a year at one station
does not tell twenty coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from core.models import scores
from core.models.laws import Array, Shape, below, density
from core.models.weather.emos import LOG_SCALE_BOUNDS, MEAN_TERMS, SPREAD_TERMS, Parameters
from core.models.weather.predictors import SCALE_MIN_F, Predictors

DAYS_MIN = 150
RIDGE = 0.001
PRIOR_DAYS = 300.0
_STEPS_MAX = 60
_SETTLED = 1e-10
"""Of the fall in mean score that a step promises."""
_ENOUGH = 1e-4
_LENGTH_MIN = 1e-6
_STIFF = 1e-9
"""Keeps a term that is always zero where it is."""


class Problem(msgspec.Struct, frozen=True):
    """A fit as arrays: rows by terms, what is left of the outcomes beyond the anchor, and the quadratic
    penalty of each coefficient around its centre."""

    shape: Shape
    mean: Array
    spread: Array
    residuals: Array
    centre: Array
    penalty: Array


class TooFewDaysError(ValueError):
    """Carries how many there are, in one sentence."""


def fit(
    shape: Shape,
    known: Predictors,
    outcomes: Array,
    *,
    prior: Parameters | None = None,
    mean_terms: Sequence[str] | None = None,
) -> Parameters:
    """Coefficients on the rows that have an anchor and an outcome (F).

    With ``prior`` its terms are fitted, from it on. Without, those of ``mean_terms`` (by default all there
    are, with one for each further source) and ``SPREAD_TERMS`` that the predictors have. Raises
    ``TooFewDaysError`` below ``DAYS_MIN`` usable rows; with a prior any number will do.
    """
    usable = np.isfinite(known.anchor) & np.isfinite(outcomes)
    days = int(usable.sum())
    rows = known.rows(usable)
    residuals = outcomes[usable] - rows.anchor
    if prior is None:
        if days < DAYS_MIN:
            raise TooFewDaysError(f"{days} past days with a forecast and an outcome, {DAYS_MIN} needed")
        wanted = (*MEAN_TERMS, *source_terms(known)) if mean_terms is None else mean_terms
        names = [name for name in wanted if name in known.terms]
        spreads = [name for name in SPREAD_TERMS if name in known.terms]
        centre, penalty = _towards_anchor(shape, residuals, names, spreads)
        mean, spread = _design(rows, names), _design(rows, spreads)
    elif days == 0:
        return msgspec.structs.replace(prior, days=0)
    else:
        names, spreads = list(prior.mean), list(prior.spread)
        mean, spread = _design(rows, names), _design(rows, spreads)
        centre, penalty = _towards(prior, mean, spread)
    found = minimum(Problem(shape, mean, spread, residuals, centre, penalty))
    values = [float(value) for value in found]
    return Parameters(
        shape=shape,
        mean=dict(zip(names, values[: len(names)], strict=True)),
        spread=dict(zip(spreads, values[len(names) :], strict=True)),
        days=days,
    )


def source_terms(known: Predictors) -> tuple[str, ...]:
    """Of several sources, all but the first pull by themselves: together they leave nothing to it."""
    return tuple(name for name in known.terms if name.startswith("source_"))[1:]


def minimum(problem: Problem) -> Array:
    """Coefficients of least loss, from the centre on: Newton's steps with the curvature that the law itself
    leads to expect (Fisher's scoring), halved until they go down."""
    theta = problem.centre
    value, slope = loss(theta, problem)
    for _ in range(_STEPS_MAX):
        step = np.linalg.solve(_expected_curvature(theta, problem), slope)
        promised = float(slope @ step)
        if promised < _SETTLED:
            break
        length = 1.0
        tried = loss(theta - step, problem)
        while tried[0] > value - _ENOUGH * length * promised and length > _LENGTH_MIN:
            length /= 2.0
            tried = loss(theta - length * step, problem)
        if tried[0] >= value:
            break
        theta = theta - length * step
        value, slope = tried
    return theta


def _expected_curvature(theta: Array, problem: Problem) -> Array:
    split, rows = problem.mean.shape[1], problem.residuals.size
    scale = np.exp(np.clip(problem.spread @ theta[split:], *LOG_SCALE_BOUNDS))
    by_location, by_log_scale = _curvature(problem.shape, scale)
    curvature = np.diag(2.0 * problem.penalty + _STIFF)
    curvature[:split, :split] += (problem.mean.T * by_location) @ problem.mean / rows
    curvature[split:, split:] += (problem.spread.T * by_log_scale) @ problem.spread / rows
    return curvature


def loss(theta: Array, problem: Problem) -> tuple[float, Array]:
    """Mean score plus penalty, and its gradient."""
    split = problem.mean.shape[1]
    raw = problem.spread @ theta[split:]
    log_scale = np.clip(raw, *LOG_SCALE_BOUNDS)
    free = raw == log_scale
    scale = np.exp(log_scale)
    z = (problem.residuals - problem.mean @ theta[:split]) / scale
    score, by_location, by_log_scale = (
        _crps(z, scale) if problem.shape is Shape.NORMAL else _likelihood(problem.shape, z, log_scale)
    )
    apart = theta - problem.centre
    value = float(score.mean() + problem.penalty @ apart**2)
    slope = np.concatenate((problem.mean.T @ by_location, problem.spread.T @ (by_log_scale * free)))
    return value, slope / z.size + 2.0 * problem.penalty * apart


def _crps(z: Array, scale: Array) -> tuple[Array, Array, Array]:
    """Score of the normal and its slopes by location and by log scale."""
    by_location = 1.0 - 2.0 * below(Shape.NORMAL, z)
    by_log_scale = scale * (2.0 * density(Shape.NORMAL, z) - 1.0 / math.sqrt(math.pi))
    return scale * scores.crps_standard(Shape.NORMAL, z), by_location, by_log_scale


def _likelihood(shape: Shape, z: Array, log_scale: Array) -> tuple[Array, Array, Array]:
    """The same of minus the log likelihood of a t, less what no coefficient changes."""
    degrees = _degrees(shape)
    pull = (degrees + 1) * z / (degrees + z * z)
    score = log_scale + (degrees + 1) / 2 * np.log1p(z * z / degrees)
    return score, -pull * np.exp(-log_scale), 1.0 - pull * z


def _degrees(shape: Shape) -> int:
    assert shape.degrees is not None
    return shape.degrees


def _design(known: Predictors, names: Sequence[str]) -> Array:
    return np.stack([np.nan_to_num(known.terms[name], nan=0.0) for name in names], axis=1)


def _towards_anchor(
    shape: Shape, residuals: Array, names: Sequence[str], spreads: Sequence[str]
) -> tuple[Array, Array]:
    """Centre and penalty of a fit without a prior: the anchor as it is, with one scale for all days; both
    constants are free."""
    centre = np.zeros(len(names) + len(spreads))
    scale = max(SCALE_MIN_F, float(residuals.std())) / shape.deviation
    centre[len(names) + spreads.index("constant")] = math.log(scale)
    free = np.array([name == "constant" for name in (*names, *spreads)])
    return centre, np.where(free, 0.0, RIDGE)


def _towards(prior: Parameters, mean: Array, spread: Array) -> tuple[Array, Array]:
    """Centre and penalty of a fit with one: as stiff as ``PRIOR_DAYS`` days like these are, term by term."""
    centre = np.array([*prior.mean.values(), *prior.spread.values()])
    scale = np.exp(np.clip(spread @ centre[mean.shape[1] :], *LOG_SCALE_BOUNDS))
    by_location, by_log_scale = _curvature(prior.shape, scale)
    stiff = np.concatenate((by_location @ mean**2, by_log_scale @ spread**2)) / scale.size
    return centre, 0.5 * PRIOR_DAYS / scale.size * stiff


def _curvature(shape: Shape, scale: Array) -> tuple[Array, Array]:
    """Second derivatives of the score by location and by log scale, their means over the law itself."""
    if shape is Shape.NORMAL:
        return 1.0 / (math.sqrt(math.pi) * scale), scale / (2.0 * math.sqrt(math.pi))
    degrees = _degrees(shape)
    by_location = (degrees + 1) / (degrees + 3) / scale**2
    return by_location, np.full(scale.size, 2.0 * degrees / (degrees + 3))
