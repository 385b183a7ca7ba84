"""The rest of a day that has begun: the extreme still to come, given the error of the forecast now.

The final high is ``max(M, R)``, M observed so far, R the maximum of the remaining hours; the final low is
``min(M, R)`` with their minimum. The hours that remain begin with the newest reading: what came after it
nobody has seen. The forecast's error is taken as a mean-reverting process with its stationary spread equal to
the day model's sigma: an error seen now has ``exp(-h/3)`` of its size left ``h`` hours later, and what is new
by then has variance ``sigma^2 (1 - exp(-2h/3))``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from core.domain.market import Extreme
from core.feeds.stations import HOUR_MS
from core.models.weather.temperature import Temperature

DAMPING_H = 3.0
SIGMA_MIN_F = 0.8
"""Peaks between readings, sensor quality and reports corrected later keep this much open to the end."""


def remaining(
    law: Temperature,
    hourly: Sequence[tuple[int, float]],
    day_extreme_f: float,
    end_ms: int,
    reading: tuple[int, float],
    extreme: Extreme = Extreme.HIGH,
) -> Temperature | None:
    """Distribution of R; ``None`` when the forecast does not reach from ``reading`` to the day's end.

    ``law`` is the day model's distribution of the whole day's extreme and ``day_extreme_f`` what ``hourly``
    says of it: their difference, the bias, is removed from each hour. ``reading`` is the newest
    ``(world ms, degrees F)``.
    """
    bias = day_extreme_f - law.mean
    ahead = [(f - bias, at) for at, f in hourly if reading[0] <= at < end_ms]
    now_f = at_time(hourly, reading[0])
    if now_f is None or not hourly or hourly[-1][0] + HOUR_MS < end_ms:
        return None
    error = reading[1] - (now_f - bias)
    mean, sigma = reading[1], SIGMA_MIN_F
    if ahead:
        expected = [(f + error * _kept(at - reading[0]), at) for f, at in ahead]
        outermost = max if extreme is Extreme.HIGH else min
        mean = outermost(f for f, _ in expected)
        peak_ms = min(at for f, at in expected if f == mean)
        fresh = math.sqrt(1.0 - _kept(peak_ms - reading[0]) ** 2)
        sigma = max(SIGMA_MIN_F, law.sigma * fresh)
    scale = sigma / law.sigma
    return Temperature(mean, sigma, law.mean_se * scale, law.sigma_se * scale, law.shape)


def at_time(hourly: Sequence[tuple[int, float]], at_ms: int) -> float | None:
    """The hourly series at a moment, linear between hours; ``None`` outside it."""
    for (start, f), (end, g) in itertools.pairwise(hourly):
        if start <= at_ms <= end:
            return f + (g - f) * (at_ms - start) / (end - start)
    return None


def _kept(span_ms: int) -> float:
    return math.exp(-max(0, span_ms) / HOUR_MS / DAMPING_H)
