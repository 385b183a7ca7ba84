"""How wide a law has to be, from past returns: the logarithm of its scale as a linear function of what was
known before each, fitted by the likelihood of Student's t.

Fisher's scoring; one column of ones gives a plain factor. What is known beforehand counts as so many returns
more, so that short histories stay near it.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from core.models.laws import T_SHAPES, Array, Shape

STEPS = 50
_STEP_MAX = 0.5
_DONE = 1e-10


class Prior(msgspec.Struct, frozen=True):
    """Coefficients that are believed before any return is seen, and how many returns that is worth."""

    coefficients: tuple[float, ...]
    returns: float


def log_scale(shape: Shape, returns: Array, known: Array, prior: Prior) -> Array:
    """Coefficients of ``log(standard deviation)`` on the columns of ``known``, one row a return.

    Raises ``ValueError`` for a normal: its scale follows single large returns.
    """
    degrees = shape.degrees
    if degrees is None:
        raise ValueError("a scale is fitted with a t")
    centre = np.array(prior.coefficients)
    held = np.eye(centre.size) if not returns.size else known.T @ known / returns.size
    held = prior.returns * (held + 1e-3 * np.eye(centre.size))
    information = 2.0 * degrees / (degrees + 3.0)
    weight = information * (known.T @ known + held)
    found = centre.copy()
    for _ in range(STEPS):
        z2 = (returns / np.exp(known @ found)) ** 2 * shape.deviation**2
        slope = known.T @ ((degrees + 1.0) * z2 / (degrees + z2) - 1.0) - information * held @ (
            found - centre
        )
        step = np.linalg.solve(weight, slope)
        found = found + np.clip(step, -_STEP_MAX, _STEP_MAX)
        if float(np.abs(step).max()) < _DONE:
            break
    return np.asarray(found)


def likelihood(shape: Shape, returns: Array, deviation: Array) -> float:
    """Mean log density of returns under laws of that shape and standard deviation."""
    degrees = shape.degrees
    z = returns / deviation * shape.deviation
    if degrees is None:
        body = -0.5 * z * z - 0.5 * math.log(2 * math.pi)
    else:
        norm = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
        body = norm - (degrees + 1) / 2 * np.log1p(z * z / degrees)
    return float(np.mean(body - np.log(deviation / shape.deviation)))


def best_shape(returns: Array, known: Array, prior: Prior) -> tuple[Shape, Array]:
    """The t that its returns make likeliest, with its coefficients."""
    fits = {shape: log_scale(shape, returns, known, prior) for shape in T_SHAPES.values()}
    if not returns.size:
        return Shape.T4, fits[Shape.T4]
    return max(fits.items(), key=lambda fit: likelihood(fit[0], returns, np.exp(known @ fit[1])))
