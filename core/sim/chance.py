"""Numbers that hang on their labels alone: whoever asks for the same thing gets the same answer.

Nothing here has a state to advance, so an instant costs the same in whatever order instants are asked.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from statistics import NormalDist

_STANDARD = NormalDist()
_SCALE = float(1 << 64)
_LEVELS = 25
"""Halvings of a bridge: finer than its 2**-25 part it is a straight line."""


@lru_cache(maxsize=1 << 16)
def uniform(label: str) -> float:
    """Between 0 and 1, both excluded."""
    return _uniform(label)


def _uniform(label: str) -> float:
    digest = hashlib.blake2b(label.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / _SCALE


@lru_cache(maxsize=1 << 16)
def normal(label: str) -> float:
    """Standard normal."""
    return _normal(label)


def _normal(label: str) -> float:
    # Within double precision a uniform number may round to 1, where the normal has no value.
    return _STANDARD.inv_cdf(min(_uniform(label), 1 - 2**-53))


def below(deviations: float) -> float:
    """Probability that a standard normal number is less than this."""
    return _STANDARD.cdf(deviations)


def heavy_below(deviations: float) -> float:
    """The same of a Student's t of four degrees of freedom, scaled to standard deviation 1."""
    share = 1 + deviations * deviations / 2
    slope = deviations * math.sqrt(2 / share)
    return 0.5 + 0.375 * slope * (1 - slope * slope / 12)


def t6_below(deviations: float) -> float:
    """The same of six degrees of freedom."""
    slope = deviations / math.sqrt(4 + deviations * deviations)
    left = 1 - slope * slope
    return 0.5 + 0.5 * slope * (1 + left / 2 + 3 * left * left / 8)


def bridge(label: str, fraction: float) -> float:
    """A Brownian bridge over [0, 1], zero at both ends, of variance 1 a unit of its time."""
    knots = 1 << _LEVELS
    position = min(max(fraction, 0.0), 1.0) * knots
    low = min(int(position), knots - 1)
    at_low, at_high = _ends(label, _LEVELS, low)
    return at_low + (at_high - at_low) * (position - low)


@lru_cache(maxsize=1 << 14)
def _ends(label: str, level: int, number: int) -> tuple[float, float]:
    """Its values at both ends of one of its 2**level equal parts; near instants share the wide ones."""
    if level == 0:
        return 0.0, 0.0
    at_low, at_high = _ends(label, level - 1, number >> 1)
    finer = _LEVELS - level
    middle = (number | 1) << finer
    value = (at_low + at_high) / 2 + math.sqrt(2.0 ** (1 - level)) / 2 * _normal(f"{label}|{middle}")
    return (value, at_high) if number & 1 else (at_low, value)
