"""The time of year alone: mean and log variance of a station's extreme as two harmonics. A floor for every
other model, and the frame of a sanity check."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array, Law, Shape

NAME = "climatology"
DAYS_MIN = 330
"""Less than about a year does not tell a harmonic of the year from its mean."""

YEAR_DAYS = 365.2425
_JANUARY_ORDINAL = 730120  # 2000-01-01
_VARIANCE_STEPS = 8

Ordinals = npt.NDArray[np.int64]


class Climate(msgspec.Struct, frozen=True):
    """Coefficients of ``harmonics``: of the mean (F) and of the log variance (F squared)."""

    mean: tuple[float, ...]
    log_variance: tuple[float, ...]


def harmonics(ordinals: Ordinals) -> Array:
    """A row a day: one, then cosine and sine of the year and of the half year."""
    angle = 2.0 * math.pi * (ordinals - _JANUARY_ORDINAL) / YEAR_DAYS
    waves = [wave(k * angle) for k in (1, 2) for wave in (np.cos, np.sin)]
    return np.stack([np.ones(angle.shape), *waves], axis=1)


def fit(ordinals: Ordinals, outcomes: Array) -> Climate | None:
    """Least squares for the mean, likelihood for the variance; ``None`` for too few days."""
    usable = np.isfinite(outcomes)
    if usable.sum() < DAYS_MIN:
        return None
    design, observed = harmonics(ordinals[usable]), outcomes[usable]
    mean = np.linalg.lstsq(design, observed, rcond=None)[0]
    squares = (observed - design @ mean) ** 2
    # Newton's steps on the normal likelihood, whose information is constant: regressions of the ratio.
    log_variance = np.zeros(design.shape[1])
    log_variance[0] = math.log(max(float(squares.mean()), 1.0 / 12.0))
    for _ in range(_VARIANCE_STEPS):
        ratio = squares * np.exp(-(design @ log_variance)) - 1.0
        log_variance += np.linalg.lstsq(design, ratio, rcond=None)[0]
    return Climate(tuple(float(x) for x in mean), tuple(float(x) for x in log_variance))


def predict(climate: Climate, ordinals: Ordinals) -> Law:
    design = harmonics(ordinals)
    log_variance = design @ np.array(climate.log_variance)
    return Law(Shape.NORMAL, design @ np.array(climate.mean), np.exp(0.5 * log_variance))
