"""What a temperature will be: a law of mean and spread, and how well the two numbers are known."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array, Shape, below, density


class Temperature(msgspec.Struct, frozen=True):
    """Degrees Fahrenheit. ``sigma`` is the standard deviation whatever the shape; ``mean_se`` and
    ``sigma_se`` are one standard error of the two parameters."""

    mean: float
    sigma: float
    mean_se: float
    sigma_se: float
    shape: Shape = Shape.NORMAL

    @property
    def scale(self) -> float:
        """Of its shape."""
        return self.sigma / self.shape.deviation

    def below(self, f: npt.ArrayLike) -> Array:
        """Probability of at most ``f``."""
        return below(self.shape, (np.asarray(f) - self.mean) / self.scale)


class Lower(msgspec.Struct, frozen=True):
    """The lower of two temperatures, the errors of which have nothing to do with each other; see
    ``lower_of``."""

    early: Temperature
    late: Temperature
    mean: float
    sigma: float
    mean_se: float
    sigma_se: float

    def below(self, f: npt.ArrayLike) -> Array:
        """Probability of at most ``f``: that not both are above it."""
        early, late = self.early.below(f), self.late.below(f)
        return np.asarray(early + late - early * late)


def lower_of(early: Temperature, late: Temperature) -> Lower:
    """Mean and spread are those of two normals (Clark 1961); the parts' errors have one cause, and count by
    how likely each part is the lower one."""
    apart, wide = late.mean - early.mean, math.hypot(early.sigma, late.sigma)
    first = float(below(Shape.NORMAL, apart / wide))
    under = wide * float(density(Shape.NORMAL, apart / wide))
    from_early = (1.0 - first) * apart - under
    square = first * early.sigma**2 + (1.0 - first) * (apart**2 + late.sigma**2) - apart * under
    return Lower(
        early,
        late,
        mean=early.mean + from_early,
        sigma=math.sqrt(square - from_early**2),
        mean_se=first * early.mean_se + (1.0 - first) * late.mean_se,
        sigma_se=first * early.sigma_se + (1.0 - first) * late.sigma_se,
    )
