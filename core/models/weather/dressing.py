"""Members dressed with a kernel each (Bayesian model averaging; Raftery, Gneiting, Balabdaoui and Polakowski
2005): a law with several humps, for days on which members disagree on whether a front comes in time.

Members are corrected of their own bias before they come here.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array, Law, Mixture, Shape
from core.models.weather.predictors import SCALE_MIN_F

NAME = "dressing"
DAYS_MIN = 60
_STEPS_MAX = 200
_SETTLED = 1e-3
HUMPS_APART = 2.0
"""Two like normal humps show as two from this many scales between them."""


class Kernel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weight of each member (of sum one) and the standard deviation around each, F."""

    weights: tuple[float, ...]
    scale_f: float


def fit(members: Array, outcomes: Array) -> Kernel | None:
    """Weights and scale by expectation-maximisation; rows are days, columns members, a missing one takes no
    part in its day. ``None`` for too few days."""
    known = np.isfinite(members)
    usable = known.any(axis=1) & np.isfinite(outcomes)
    if usable.sum() < DAYS_MIN:
        return None
    known = known[usable]
    errors = np.where(known, outcomes[usable, None] - np.where(known, members[usable], 0.0), 0.0)
    # One that never spoke counts for nothing, and what is found is the same as without it.
    heard = known.any(axis=0)
    weights = heard / heard.sum()
    scale = max(SCALE_MIN_F, math.sqrt(float((errors**2).sum(axis=1).sum() / known.sum())))
    for _ in range(_STEPS_MAX):
        # Of each day, how much each member is the one that was right, in logarithms against the best.
        logs = np.where(known, np.log(np.maximum(weights, 1e-300)) - 0.5 * (errors / scale) ** 2, -np.inf)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        weights = shares.mean(axis=0)
        before, scale = scale, max(SCALE_MIN_F, math.sqrt(float((shares * errors**2).sum(axis=1).mean())))
        if abs(scale - before) < _SETTLED:
            break
    return Kernel(tuple(float(w) for w in weights), scale)


def predict(kernel: Kernel, members: Array) -> Mixture:
    """One mixture a row; a missing member's weight goes to the others. NaN where none is known."""
    known = np.isfinite(members)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(known, kernel.weights, 0.0)
        weights = weights / weights.sum(axis=1, keepdims=True)
    scale = np.full(members.shape[0], kernel.scale_f)
    parts = tuple(
        Law(Shape.NORMAL, np.where(known[:, k], members[:, k], 0.0), scale) for k in range(known.shape[1])
    )
    return Mixture(tuple(weights.T), parts)


def apart(law: Mixture) -> npt.NDArray[np.bool_]:
    """Of each row of what ``predict`` gives, whether members fall into groups too far apart for one hump."""
    known = [
        np.where(np.asarray(weight) > 0.0, part.location, np.nan)
        for weight, part in zip(law.weights, law.parts, strict=True)
    ]
    gaps = np.diff(np.sort(np.stack(known), axis=0), axis=0)
    widest = np.where(np.isfinite(gaps), gaps, 0.0).max(axis=0, initial=0.0)
    return np.asarray(widest > HUMPS_APART * law.parts[0].scale)
