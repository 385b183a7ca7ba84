"""A normal distribution of a temperature and how well its two numbers are known."""

from __future__ import annotations

import msgspec


class Normal(msgspec.Struct, frozen=True):
    """Degrees Fahrenheit. ``mean_se`` and ``sigma_se`` are one standard error of the two parameters."""

    mean: float
    sigma: float
    mean_se: float
    sigma_se: float
