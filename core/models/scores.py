"""How good predictions were, once the outcomes are known: proper scores, calibration, and their errors.

Everything is vectorised: one number for each outcome, to be averaged by the caller. Formulas: Gneiting,
Raftery, Westveld and Goldman 2005 (CRPS of the normal), Jordan, Krueger and Lerch 2019 (of the t), Grimit,
Gneiting, Berrocal and Johnson 2006 (of a normal mixture), Gneiting and Raftery 2007 (Brier, logarithmic),
Czado, Gneiting and Held 2009 (PIT of whole numbers). Lower is better everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from core.models.laws import Array, Law, Mixture, Shape, below, density

LOG_FLOOR = 0.002
"""A fifth of a tick: keeps one surprise from deciding a record. For the score only."""

RELIABILITY_EDGES = (0.0, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50, 0.65, 0.80, 0.90, 1.0)
WILSON_Z = 1.959963984540054
"""Two-sided 95 %."""

CUSUM_SLACK, CUSUM_LIMIT = 0.5, 5.0
"""Tuned to a shift of one standard deviation, which is then told of after ten days in the mean; a mean loss
of nothing is taken for one once in about 975 days."""
CUSUM_STEP_MAX = 3.0
CUSUM_DAYS_MIN = 20
"""Of fewer days the deviation is not known well enough."""

_SQRT_PI = math.sqrt(math.pi)
_LEVELS = 201
_NO_WIDTH = 1e-12
_NODES, _TAIL_SCALES = 401, 60.0
"""Of a quadrature, and how many scales beyond its parts it goes."""


# --- continuous ranked probability score ----------------------------------------------------------


def crps(law: Law | Mixture, outcome: npt.ArrayLike) -> Array:
    """CRPS of each law at its outcome, in the outcome's unit."""
    if isinstance(law, Mixture):
        return crps_mixture(law, outcome)
    z = (np.asarray(outcome, dtype=np.float64) - law.location) / law.scale
    return law.scale * crps_standard(law.shape, z)


def crps_standard(shape: Shape, z: npt.ArrayLike) -> Array:
    """CRPS at ``z`` of the law of location zero and scale one."""
    at = np.asarray(z, dtype=np.float64)
    middle = at * (2.0 * below(shape, at) - 1.0)
    degrees = shape.degrees
    if degrees is None:
        return middle + 2.0 * density(shape, at) - 1.0 / _SQRT_PI
    spread = 2.0 * density(shape, at) * (degrees + at * at) / (degrees - 1)
    return middle + spread - _t_mean_apart(degrees)


def _t_mean_apart(degrees: int) -> float:
    """Half the mean distance of two draws of the t."""
    beta = math.exp(float(betaln(0.5, degrees - 0.5)) - 2.0 * float(betaln(0.5, degrees / 2)))
    return 2.0 * math.sqrt(degrees) / (degrees - 1) * beta


def crps_mixture(law: Mixture, outcome: npt.ArrayLike) -> Array:
    """CRPS of each mixture at its outcome: closed for normal parts, else by quadrature."""
    if any(part.shape is not Shape.NORMAL for part in law.parts):
        return _crps_by_quadrature(law, np.asarray(outcome, dtype=np.float64))
    y = np.asarray(outcome, dtype=np.float64)
    pairs = list(zip(law.weights, law.parts, strict=True))
    total = np.zeros(np.broadcast(y, *(part.location for part in law.parts)).shape)
    for weight, part in pairs:
        total = total + weight * _mean_distance(y - part.location, part.scale)
        for other_weight, other in pairs:
            apart = _mean_distance(part.location - other.location, np.hypot(part.scale, other.scale))
            total = total - 0.5 * weight * other_weight * apart
    return total


def _crps_by_quadrature(law: Mixture, outcome: Array) -> Array:
    """The integral of the squared distance between the law's distribution and the outcome's, either side of
    the outcome, by Simpson's rule with steps that grow with the distance from it."""
    scale = np.max([part.scale for part in law.parts], axis=0)
    far = np.max([np.abs(part.location - outcome) for part in law.parts], axis=0) / scale
    ends = np.arcsinh(np.where(np.isfinite(far), far, 0.0) + _TAIL_SCALES)
    total = np.zeros(np.broadcast(outcome, scale).shape)
    for node in range(_NODES):
        u = ends * node / (_NODES - 1)
        counts = 1.0 if node in (0, _NODES - 1) else 4.0 if node % 2 else 2.0
        away = scale * np.sinh(u)
        under, over = law.below(outcome - away), 1.0 - law.below(outcome + away)
        total = total + counts * np.cosh(u) * (under**2 + over**2)
    return np.asarray(total * scale * ends / (3.0 * (_NODES - 1)))


def _mean_distance(mean: Array, scale: Array) -> Array:
    """Mean of ``|X|`` for a normal X."""
    z = mean / scale
    return np.asarray(
        2.0 * scale * density(Shape.NORMAL, z) + mean * (2.0 * below(Shape.NORMAL, z) - 1.0),
    )


# --- events and contracts -------------------------------------------------------------------------


def floored(probabilities: Array, floor: float = LOG_FLOOR) -> Array:
    """Probabilities of events (last axis: their outcomes; NaN beyond an event's last one), none below
    ``floor`` and of sum one again."""
    raised = np.maximum(probabilities, floor)
    return np.asarray(raised / np.nansum(raised, axis=-1, keepdims=True))


def log_loss(probabilities: Array, winner: npt.NDArray[np.intp], floor: float = LOG_FLOOR) -> Array:
    """Minus the log of what each event's winning outcome was given, after ``floored``."""
    given = np.take_along_axis(floored(probabilities, floor), winner[..., None], axis=-1)[..., 0]
    return -np.log(given)


def brier_event(probabilities: Array, winner: npt.NDArray[np.intp], floor: float = LOG_FLOOR) -> Array:
    """Sum of ``(p - o)^2`` over each event's outcomes, after ``floored``."""
    won = np.arange(probabilities.shape[-1]) == winner[..., None]
    return np.asarray(np.nansum((floored(probabilities, floor) - won) ** 2, axis=-1))


def brier(probability: npt.ArrayLike, happened: npt.ArrayLike) -> Array:
    """Of single contracts."""
    return (np.asarray(probability, dtype=np.float64) - np.asarray(happened, dtype=np.float64)) ** 2


def log_score(winner_probability: npt.ArrayLike) -> Array:
    """Minus the log of the probability of what happened, floored."""
    return -np.log(np.maximum(LOG_FLOOR, np.asarray(winner_probability, dtype=np.float64)))


# --- calibration ----------------------------------------------------------------------------------
# An outcome in whole units takes up a stretch of probability, from ``F(y - 1/2)`` to ``F(y + 1/2)``. Drawing
# a point of it at random would give one answer a seed; its length is shared out instead, which is the mean
# over all draws.


def stretch(law: Law | Mixture, outcome: npt.ArrayLike, step: float = 1.0) -> tuple[Array, Array]:
    """Probability below and up to each outcome that is rounded to ``step``."""
    y = np.asarray(outcome, dtype=np.float64)
    return law.below(y - step / 2), law.below(y + step / 2)


def covered(low: Array, high: Array, level: float) -> Array:
    """Share of each outcome's stretch that lies in the central ``level`` of its law."""
    left, right = (1.0 - level) / 2, (1.0 + level) / 2
    inside = np.clip(np.minimum(high, right) - np.maximum(low, left), 0.0, None)
    width = high - low
    point = ((low >= left) & (low <= right)).astype(np.float64)
    return np.where(width > 0.0, inside / np.where(width > 0.0, width, 1.0), point)


def pit_mean(low: Array, high: Array) -> Array:
    """The middle of each stretch: on average 1/2 where the law has no bias."""
    return (low + high) / 2


def kolmogorov(low: Array, high: Array) -> float:
    """Largest distance of the PIT's distribution from the uniform, on a grid of levels; 0 is calibrated.
    Needs one outcome."""
    width = np.maximum(high - low, _NO_WIDTH)
    levels = np.linspace(0.0, 1.0, _LEVELS)
    reached = np.clip((levels[:, None] - low) / width, 0.0, 1.0).mean(axis=1)
    return float(np.abs(reached - levels).max())


class Bin(msgspec.Struct, frozen=True):
    """Contracts of similar probability: how many, what was said, what happened, and its Wilson interval."""

    low: float
    high: float
    count: int
    said: float
    happened: float
    happened_low: float
    happened_high: float


def reliability(probability: Array, happened: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Contracts by fixed bins of probability; empty bins are left out."""
    edges = np.array(RELIABILITY_EDGES)
    which = np.clip(np.searchsorted(edges, probability, "right") - 1, 0, edges.size - 2)
    bins = []
    for k in range(edges.size - 1):
        inside = which == k
        if count := int(inside.sum()):
            share = float(happened[inside].mean())
            low, high = wilson(share, count)
            said = float(probability[inside].mean())
            bins.append(Bin(float(edges[k]), float(edges[k + 1]), count, said, share, low, high))
    return tuple(bins)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean of ``|said - happened|`` weighted by count (ECE)."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.said - b.happened) for b in bins) / total if total else 0.0


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a frequency seen in ``count`` trials (Wilson 1927)."""
    z2 = WILSON_Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = WILSON_Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


# --- errors of the means --------------------------------------------------------------------------


class Mean(msgspec.Struct, frozen=True):
    value: float
    se: float | None
    """One standard error with days as the independent units; ``None`` for fewer than two days."""
    n: int
    days: int


class Drift(NamedTuple):
    """A one-sided CUSUM at its end."""

    total: float
    """Standard deviations of a day, never below nothing."""
    since: int | None
    """Ordinal day from which it has grown beyond its limit without coming back to nothing since; ``None``
    where it has not."""


def drift(losses: Array, days: npt.NDArray[np.int64]) -> Drift | None:
    """Whether a mean loss that should be nothing or less has come to be more than that, as early as that can
    be told: days' means add up, in their own standard deviations, each less ``CUSUM_SLACK``. One day counts
    for ``CUSUM_STEP_MAX`` at most, for a single disaster is no drift. ``None`` for fewer than
    ``CUSUM_DAYS_MIN`` days or for days that are all alike. Page 1954."""
    every, which = np.unique(days, return_inverse=True)
    if every.size < CUSUM_DAYS_MIN:
        return None
    means = np.bincount(which, weights=losses) / np.bincount(which)
    deviation = float(means.std(ddof=1))
    if not deviation > 0.0:
        return None
    total, start, beyond = 0.0, 0, False
    steps = np.minimum(means / deviation, CUSUM_STEP_MAX) - CUSUM_SLACK
    for day, step in zip(every.tolist(), steps.tolist(), strict=True):
        start = day if total == 0.0 else start
        total = max(0.0, total + step)
        beyond = total > 0.0 and (beyond or total > CUSUM_LIMIT)
    return Drift(total, start if beyond else None)


def by_day(values: Array, days: npt.NDArray[np.int64]) -> Mean:
    """Mean of scores, its error clustered by day: errors of one day are correlated over cities and
    brackets. Needs one value."""
    mean = float(values.mean())
    _, which = np.unique(days, return_inverse=True)
    sums = np.bincount(which, weights=values - mean)
    count = sums.size
    if count < 2:
        return Mean(mean, None, values.size, count)
    se = math.sqrt(count / (count - 1) * float((sums**2).sum())) / values.size
    return Mean(mean, se, values.size, count)
