"""What a temperature will be: a law of mean and spread, and how well the two numbers are known."""

from __future__ import annotations

import msgspec

from core.models.laws import Shape


class Temperature(msgspec.Struct, frozen=True):
    """Degrees Fahrenheit. ``sigma`` is the standard deviation whatever the shape; ``mean_se`` and
    ``sigma_se`` are one standard error of the two parameters."""

    mean: float
    sigma: float
    mean_se: float
    sigma_se: float
    shape: Shape = Shape.NORMAL
