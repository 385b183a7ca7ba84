"""What an extreme of a climate day may come to: a law of the whole day, and of what is left of a running one.

The final high is max(M, R), M the whole degrees reached so far, R over the hours to come; the final low is
min(M, R). The forecast's error seen now decays with a time constant of three hours. Degrees Fahrenheit, world
time in Unix milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.sim.brackets import Bracket
from core.sim.chance import below, t6_below
from core.sim.scenarios.loader import Extreme
from core.sim.weather import HOUR_MS, Observation, half_up

_SIGMA_MIN_F = 0.8
_ERROR_LASTS_H = 3.0

Hours = tuple[tuple[int, float], ...]
"""A forecast's hours of one day as (Unix ms, degrees), oldest first."""


class Law(msgspec.Struct, frozen=True):
    """R is normal, or where ``heavy`` Student's t of six degrees with the same spread."""

    mean: float
    sigma: float
    extreme: Extreme = Extreme.HIGH
    heavy: bool = False
    reached: int | None = None
    """Whole degrees so far, once the day has reports."""

    def upto(self, degrees: int | None) -> float:
        """Chance that the rounded extreme is at most so much; ``None`` is no limit."""
        if degrees is None:
            return 1.0
        if self.reached is not None and self.extreme is Extreme.HIGH and degrees < self.reached:
            return 0.0
        if self.reached is not None and self.extreme is Extreme.LOW and degrees >= self.reached:
            return 1.0
        deviations = (degrees + 0.5 - self.mean) / self.sigma
        return t6_below(deviations) if self.heavy else below(deviations)

    def chance(self, bracket: Bracket) -> float:
        return self.upto(bracket.high_f) - (0.0 if bracket.low_f is None else self.upto(bracket.low_f - 1))


def outermost(hours: Hours, extreme: Extreme) -> float:
    """What a forecast says of the day's extreme."""
    return (max if extreme is Extreme.HIGH else min)(f for _, f in hours)


def remaining(whole: Law, hours: Hours, reports: Sequence[Observation], now_ms: int) -> Law:
    """The day as it stands: ``whole`` until its first report, then R with what the ``reports`` reached."""
    if not reports:
        return whole
    bias = outermost(hours, whole.extreme) - whole.mean
    pick, newest = max if whole.extreme is Extreme.HIGH else min, reports[-1]
    reached = half_up(pick(report.temp_f for report in reports))
    error = newest.temp_f - (_between(hours, newest.at_ms) - bias)
    ahead = [(f - bias + error * _kept(at - newest.at_ms), at) for at, f in hours if at >= now_ms]
    mean, sigma = newest.temp_f, _SIGMA_MIN_F
    if ahead:
        mean = pick(f for f, _ in ahead)
        fresh = math.sqrt(1 - _kept(min(at for f, at in ahead if f == mean) - newest.at_ms) ** 2)
        sigma = max(_SIGMA_MIN_F, whole.sigma * fresh)
    return msgspec.structs.replace(whole, mean=mean, sigma=sigma, reached=reached)


def _kept(span_ms: int) -> float:
    """Share of an error that is left after a while."""
    return math.exp(-max(0, span_ms) / (_ERROR_LASTS_H * HOUR_MS))


def _between(hours: Hours, at_ms: int) -> float:
    """The hourly series at a moment, straight between hours, level after the last."""
    earlier = [(at, f) for at, f in hours if at <= at_ms][-1]
    later = next(((at, f) for at, f in hours if at > at_ms), None)
    if later is None:
        return earlier[1]
    return earlier[1] + (later[1] - earlier[1]) * (at_ms - earlier[0]) / (later[0] - earlier[0])
