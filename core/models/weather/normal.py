"""A normal distribution of a temperature and how well its two numbers are known."""

from __future__ import annotations

import math

import msgspec

SQRT2 = math.sqrt(2.0)
SQRT2PI = math.sqrt(2.0 * math.pi)


def cdf(z: float) -> float:
    """Standard normal distribution function; accurate in both tails."""
    return 0.5 * math.erfc(-z / SQRT2)


def density(z: float) -> float:
    """Standard normal density."""
    return math.exp(-0.5 * z * z) / SQRT2PI


class Normal(msgspec.Struct, frozen=True):
    """Degrees Fahrenheit. ``mean_se`` and ``sigma_se`` are one standard error of the two parameters."""

    mean: float
    sigma: float
    mean_se: float
    sigma_se: float

    def below(self, x: float) -> float:
        """Probability of at most ``x``."""
        return cdf((x - self.mean) / self.sigma)
