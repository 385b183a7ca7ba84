"""Statistical correction of forecasts (EMOS; Gneiting, Raftery, Westveld and Goldman 2005): the mean is the
anchor with a linear correction, the log of the scale is linear too.

The law is the normal or Student's t of six degrees. Parameters are data, fitted by ``emos_fit`` in another
process; here they are only applied.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array, Law, Shape
from core.models.weather.predictors import Predictors

NAME = {Shape.NORMAL: "emos", Shape.T6: "emos-t"}
VERSION = "2"

MEAN_TERMS = (
    "constant",
    "level",
    "error_fast",
    "error_long",
    "error_last",
    "revision",
    "revision_before",
    "change",
    "persistence",
    "range",
    "cloud",
    "precipitation",
)
SPREAD_TERMS = ("constant", "log_scale", "log_unsettled", "log_apart", "season_cos", "season_sin")
"""Terms the correction is fitted on, of those that the predictors have."""

LOG_SCALE_BOUNDS = (-1.0, 3.0)
"""Of a scale in F, about 0.4 to 20: beyond is a data fault, and the fit does not follow it."""

HALF_TRUST_DAYS = 200.0


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One station and lead's coefficients by name of the term: of the mean in F, of the log of the scale."""

    shape: Shape
    mean: dict[str, float]
    spread: dict[str, float]
    days: int
    """Days with an outcome it is fitted on."""

    @property
    def terms(self) -> frozenset[str]:
        return frozenset((*self.mean, *self.spread))


def predict(parameters: Parameters, known: Predictors) -> Law:
    """One law a row; a term whose input is missing corrects nothing (``absent`` tells which). NaN where
    there is no anchor. Raises ``KeyError`` for a term the predictors do not have at all."""
    log_scale = np.clip(linear(parameters.spread, known.terms), *LOG_SCALE_BOUNDS)
    return Law(parameters.shape, known.anchor + linear(parameters.mean, known.terms), np.exp(log_scale))


def absent(parameters: Parameters, known: Predictors, row: int = -1) -> tuple[str, ...]:
    """Terms of ``parameters`` of which nothing is known in one row, in their order."""
    return tuple(
        name
        for name in dict.fromkeys((*parameters.mean, *parameters.spread))
        if name not in known.terms or not np.isfinite(known.terms[name][row])
    )


def recent(known: Predictors) -> Law:
    """What needs no fit: the forecast less its recent error, as wide as such forecasts lately were wrong."""
    return Law(Shape.NORMAL, known.anchor, known.scale)


def averaged(fitted: Law, unfitted: Law, days: npt.ArrayLike) -> Law:
    """EMOS and a model without a fit averaged, location and spread each, the more EMOS the more ``days`` it
    is fitted on, as it is too narrow on few: of 200 days each counts half. Where there is no fit (NaN) the
    other stands alone, in the same shape."""
    there = np.isfinite(fitted.scale)
    weight = np.where(there, np.asarray(days) / (np.asarray(days) + HALF_TRUST_DAYS), 0.0)
    location = weight * np.where(there, fitted.location, 0.0) + (1.0 - weight) * unfitted.location
    scale = (
        weight * np.where(there, fitted.scale, 0.0) + (1.0 - weight) * unfitted.sd / fitted.shape.deviation
    )
    return Law(fitted.shape, location, scale)


def linear(coefficients: Mapping[str, float], terms: Mapping[str, Array]) -> Array:
    total = sum(value * np.nan_to_num(terms[name], nan=0.0) for name, value in coefficients.items())
    return np.asarray(total, dtype=np.float64)
