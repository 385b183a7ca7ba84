"""Volatility from past returns alone: exponentially weighted squares, and the shape of a market's week."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.models.laws import Array

WEEK_H = 168
HOUR_WORTH, DAY_HOUR_WORTH = 30.0, 100.0
"""Hours seen that an hour of all days is drawn to the average with, and one of a single day to that."""
WEIGHT_MIN = 0.02
"""Of an average hour: one that never moved yet is not one that cannot."""


def ewma(squares: Array, decay: float, start: float) -> Array:
    """Weighted mean of the squares before each, ``start`` before the first."""
    before, held = [], start
    for square in squares.tolist():
        before.append(held)
        held = decay * held + (1.0 - decay) * square
    return np.array(before)


def week_shape(hours: npt.NDArray[np.int64], squares: Array) -> Array:
    """Variance by hour of the week (0 to 167), the mean over the hours that trade being one. Each is drawn
    towards that hour of all days, and that towards the average, the more the less of it was seen."""
    if not squares.size or not float(squares.mean()) > 0.0:
        return np.ones(WEEK_H)
    level = float(squares.mean())
    count = np.bincount(hours, minlength=WEEK_H).astype(np.float64)
    total = np.bincount(hours, weights=squares / level, minlength=WEEK_H)
    count24, total24 = count.reshape(7, 24).sum(axis=0), total.reshape(7, 24).sum(axis=0)
    by_hour = (total24 + HOUR_WORTH) / (count24 + HOUR_WORTH)
    shape = (total + DAY_HOUR_WORTH * np.tile(by_hour, 7)) / (count + DAY_HOUR_WORTH)
    shape = np.maximum(shape, WEIGHT_MIN)
    return np.asarray(shape / (shape @ count / count.sum()))
