"""The shapes of law that outcomes are predicted with, on whole arrays: the normal and Student's t of six
degrees of freedom, both as location and scale.

The t is the plain one, not scaled to variance one: its standard deviation is ``sqrt(6/4)`` of its scale. Its
distribution is elementary (Abramowitz and Stegun 1964, 26.7.4), where a general routine is ten times dearer.
"""

from __future__ import annotations

import enum
import math

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Array = npt.NDArray[np.float64]

T_DEGREES = 6
_T_NORM = math.gamma(3.5) / (math.sqrt(T_DEGREES * math.pi) * math.gamma(3.0))
_SQRT2PI = math.sqrt(2.0 * math.pi)


class Shape(enum.Enum):
    NORMAL = "normal"
    T6 = "t6"

    @property
    def deviation(self) -> float:
        """Standard deviation of a scale of one."""
        return 1.0 if self is Shape.NORMAL else math.sqrt(T_DEGREES / (T_DEGREES - 2))


def below(shape: Shape, z: npt.ArrayLike) -> Array:
    """Probability of at most ``z`` at location zero and scale one."""
    at = np.asarray(z, dtype=np.float64)
    return np.asarray(ndtr(at)) if shape is Shape.NORMAL else _t_below(at)


def density(shape: Shape, z: npt.ArrayLike) -> Array:
    at = np.asarray(z, dtype=np.float64)
    if shape is Shape.NORMAL:
        return np.asarray(np.exp(-0.5 * at * at) / _SQRT2PI)
    return np.asarray(_T_NORM * (1.0 + at * at / T_DEGREES) ** -3.5)


def _t_below(z: Array) -> Array:
    y2 = z * z
    root = np.sqrt(T_DEGREES + y2)
    with np.errstate(invalid="ignore"):
        sin = np.where(np.isinf(z), 1.0, np.abs(z) / root)
    cos2 = T_DEGREES / (T_DEGREES + y2)
    # cos2 / (1 + sin) is 1 - sin without the loss of digits far out.
    tail = 0.5 * (cos2 / (1.0 + sin) - sin * cos2 * (0.5 + 0.375 * cos2))
    return np.where(z < 0.0, tail, 1.0 - tail)


class Law(msgspec.Struct, frozen=True):
    """A predictive law for each of many outcomes; ``location`` and ``scale`` are arrays of one length in the
    outcome's unit (or single numbers)."""

    shape: Shape
    location: Array
    scale: Array

    def below(self, x: npt.ArrayLike) -> Array:
        """Probability of at most ``x``, which broadcasts against the laws."""
        return below(self.shape, (np.asarray(x) - self.location) / self.scale)

    @property
    def mean(self) -> Array:
        return self.location

    @property
    def sd(self) -> Array:
        return self.scale * self.shape.deviation


class Mixture(msgspec.Struct, frozen=True):
    """Several laws for each outcome, each with its weight (of sum one): an average of opinions that is as
    wide as they are apart."""

    weights: tuple[float, ...]
    parts: tuple[Law, ...]

    def below(self, x: npt.ArrayLike) -> Array:
        return np.asarray(sum(w * part.below(x) for w, part in zip(self.weights, self.parts, strict=True)))

    @property
    def mean(self) -> Array:
        return np.asarray(sum(w * part.mean for w, part in zip(self.weights, self.parts, strict=True)))

    @property
    def sd(self) -> Array:
        mean = self.mean
        second = sum(
            w * (part.sd**2 + (part.mean - mean) ** 2)
            for w, part in zip(self.weights, self.parts, strict=True)
        )
        return np.asarray(np.sqrt(second))
