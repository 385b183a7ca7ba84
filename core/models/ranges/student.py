"""Student's t of a few degrees of freedom, scaled to variance one: its distribution in closed form.

For whole degrees the integral is elementary (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), and a general
routine is many times dearer.
"""

from __future__ import annotations

import math

DEGREES = (3, 4, 6)
"""What is offered here."""


def below(x: float, degrees: int) -> float:
    """Probability that a t variable of variance one is at most ``x``; raises ``ValueError`` for other
    degrees than ``DEGREES``. Right to 1e-14, tails in their absolute size."""
    y = abs(x) * math.sqrt(degrees / (degrees - 2)) if math.isfinite(x) else math.inf
    tail = _tail(y, degrees)
    return tail if x < 0 else 1.0 - tail


def density(x: float, degrees: int) -> float:
    """Density of the same variable."""
    scale = math.sqrt(degrees / (degrees - 2))
    norm = math.gamma((degrees + 1) / 2) / (math.sqrt(degrees * math.pi) * math.gamma(degrees / 2))
    return float(scale * norm * (1.0 + (x * scale) ** 2 / degrees) ** (-(degrees + 1) / 2))


def _tail(y: float, degrees: int) -> float:
    """Probability of more than ``y`` (not negative) for the plain t."""
    if math.isinf(y):
        return 0.0
    cos2 = degrees / (degrees + y * y)
    sin = y / math.sqrt(degrees + y * y)
    # 1 - sin without the loss of digits far out.
    rest = cos2 / (1.0 + sin)
    match degrees:
        case 3:
            angle = math.atan2(math.sqrt(degrees), y)
            return max(0.0, (angle - sin * math.sqrt(cos2)) / math.pi)
        case 4:
            return max(0.0, 0.5 * (rest - sin * cos2 / 2))
        case 6:
            return max(0.0, 0.5 * (rest - sin * (cos2 / 2 + 3 / 8 * cos2 * cos2)))
        case _:
            raise ValueError(f"{degrees} degrees of freedom have no closed form here: one of {DEGREES}")
