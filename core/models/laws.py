"""The shapes of law that outcomes are predicted with, on whole arrays: the normal and Student's t of three to
six degrees of freedom, as location and scale.

The t is the plain one, not scaled to variance one: of six degrees its standard deviation is ``sqrt(6/4)`` of
its scale. Its distribution is elementary (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), where a general
routine is ten times dearer.
"""

from __future__ import annotations

import enum
import math

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Which = slice | npt.NDArray[np.bool_] | Index | tuple[Index, Index]
"""Some of many outcomes."""

_SQRT2PI = math.sqrt(2.0 * math.pi)
_FAR = 1e10


class Shape(enum.Enum):
    NORMAL = "normal"
    T3 = "t3"
    T4 = "t4"
    T5 = "t5"
    T6 = "t6"

    @property
    def degrees(self) -> int | None:
        """Of freedom; ``None`` for the normal."""
        return None if self is Shape.NORMAL else int(self.value[1:])

    @property
    def deviation(self) -> float:
        """Standard deviation of a scale of one."""
        degrees = self.degrees
        return 1.0 if degrees is None else math.sqrt(degrees / (degrees - 2))


T_SHAPES = {shape.degrees: shape for shape in Shape if shape.degrees is not None}
"""The t by its degrees of freedom."""


def below(shape: Shape, z: npt.ArrayLike) -> Array:
    """Probability of at most ``z`` at location zero and scale one."""
    at = np.asarray(z, dtype=np.float64)
    degrees = shape.degrees
    return np.asarray(ndtr(at)) if degrees is None else _t_below(at, degrees)


def density(shape: Shape, z: npt.ArrayLike) -> Array:
    at = np.asarray(z, dtype=np.float64)
    degrees = shape.degrees
    if degrees is None:
        return np.asarray(np.exp(-0.5 * at * at) / _SQRT2PI)
    norm = math.gamma((degrees + 1) / 2) / (math.sqrt(degrees * math.pi) * math.gamma(degrees / 2))
    return np.asarray(norm * (1.0 + at * at / degrees) ** (-(degrees + 1) / 2))


def _t_below(z: Array, degrees: int) -> Array:
    """Right to 1e-15 in absolute size, far out too. In place where it can be: the arrays are large."""
    # So far out that only the limit is left, and not infinite: infinity over itself is no number.
    at = np.clip(z.reshape(-1), -_FAR, _FAR)
    cos2 = at * at
    cos2 += degrees
    sin = np.sqrt(cos2)
    np.divide(at, sin, out=sin)
    np.divide(degrees, cos2, out=cos2)
    if degrees % 2:
        more = 1.0 if degrees == 3 else 1.0 + cos2 * (2 / 3)
        found = (np.arctan(at / math.sqrt(degrees)) + sin * np.sqrt(cos2) * more) / math.pi
    else:
        found = cos2 * (0.1875 if degrees == 6 else 0.0)
        found += 0.25
        found *= cos2
        found += 0.5
        found *= sin
    found += 0.5
    return np.asarray(found.reshape(z.shape))


class Law(msgspec.Struct, frozen=True):
    """A predictive law for each of many outcomes; ``location`` and ``scale`` are arrays of one length in the
    outcome's unit (or single numbers)."""

    shape: Shape
    location: Array
    scale: Array

    def below(self, x: npt.ArrayLike) -> Array:
        """Probability of at most ``x``, which broadcasts against the laws."""
        return below(self.shape, (np.asarray(x) - self.location) / self.scale)

    def rows(self, which: Which) -> Law:
        return Law(self.shape, self.location[which], self.scale[which])

    @property
    def mean(self) -> Array:
        return self.location

    @property
    def sd(self) -> Array:
        return self.scale * self.shape.deviation


class Mixture(msgspec.Struct, frozen=True):
    """Several laws for each outcome, each with its weight (of sum one; one for all outcomes or one each): an
    average of opinions that is as wide as they are apart."""

    weights: tuple[float | Array, ...]
    parts: tuple[Law, ...]

    def below(self, x: npt.ArrayLike) -> Array:
        return np.asarray(sum(w * part.below(x) for w, part in zip(self.weights, self.parts, strict=True)))

    def rows(self, which: Which) -> Mixture:
        weights = tuple(w[which] if isinstance(w, np.ndarray) else w for w in self.weights)
        return Mixture(weights, tuple(part.rows(which) for part in self.parts))

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
