"""What an extreme of a climate day may come to: a law of the whole day, and of what is left of a running one.

The final high is max(M, R), M the whole degrees reported so far, R over the hours since the newest report, of
which nobody knows yet; the final low is min(M, R). The forecast's error as reported last decays with a time
constant of three hours. A low's R is the lower of the morning's and the evening's where they are six hours
apart or more: errors do not last so long. Degrees Fahrenheit, world time in Unix milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.sim.brackets import Bracket
from core.sim.chance import below, t6_below
from core.sim.scenarios.loader import Extreme
from core.sim.spread import Spread
from core.sim.weather import HOUR_MS, Observation, half_up

_SIGMA_MIN_F = 0.8
_ERROR_LASTS_H = 3.0
_ENDS_APART_MS = 6 * HOUR_MS

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
    evening: tuple[float, float] | None = None
    """Mean and spread of a low's other end."""
    spread: Spread | None = None
    """Where ``sigma`` hangs on the hour at which the extreme comes."""

    def upto(self, degrees: int | None) -> float:
        """Chance that the rounded extreme is at most so much; ``None`` is no limit."""
        if degrees is None:
            return 1.0
        if self.reached is not None and self.extreme is Extreme.HIGH and degrees < self.reached:
            return 0.0
        if self.reached is not None and self.extreme is Extreme.LOW and degrees >= self.reached:
            return 1.0
        chance = self._below(degrees + 0.5, self.mean, self.sigma)
        if self.evening is None:
            return chance
        return 1 - (1 - chance) * (1 - self._below(degrees + 0.5, *self.evening))

    def _below(self, f: float, mean: float, sigma: float) -> float:
        deviations = (f - mean) / sigma
        return t6_below(deviations) if self.heavy else below(deviations)

    def chance(self, bracket: Bracket) -> float:
        return self.upto(bracket.high_f) - (0.0 if bracket.low_f is None else self.upto(bracket.low_f - 1))


def outermost(hours: Hours, extreme: Extreme) -> float:
    """What a forecast says of the day's extreme."""
    return (max if extreme is Extreme.HIGH else min)(f for _, f in hours)


def whole_day(mean: float, spread: Spread, hours: Hours, extreme: Extreme) -> Law:
    """Of a whole day, for who weighs all models."""
    comes_ms = next(at for at, f in hours if f == outermost(hours, extreme))
    return Law(mean, spread.at(comes_ms), extreme, heavy=True, spread=spread)


def remaining(whole: Law, hours: Hours, reports: Sequence[Observation]) -> Law:
    """The day as it stands: ``whole`` until its first report, then R with what the ``reports`` reached."""
    if not reports:
        return whole
    bias = _said(hours, whole) - whole.mean
    pick, newest = max if whole.extreme is Extreme.HIGH else min, reports[-1]
    reached = half_up(pick(report.temp_f for report in reports))
    error = newest.temp_f - (_between(hours, newest.at_ms) - bias)
    ahead = tuple((at, f - bias + error * _kept(at - newest.at_ms)) for at, f in hours if at >= newest.at_ms)
    told = [(f, _new(whole, at, newest.at_ms)) for at, f in _ends(ahead, whole.extreme)]
    (mean, sigma), *evening = told or [(newest.temp_f, _SIGMA_MIN_F)]
    return msgspec.structs.replace(
        whole, mean=mean, sigma=sigma, reached=reached, evening=evening[0] if evening else None
    )


def _ends(hours: Hours, extreme: Extreme) -> Hours:
    """The hours by which the extreme is told: of a low the coldest one on either side of the warmest."""
    if not hours:
        return ()
    warmest = max(hours, key=_degrees)
    if extreme is Extreme.HIGH:
        return (warmest,)
    turn = hours.index(warmest)
    ends = tuple(min(part, key=_degrees) for part in (hours[:turn], hours[turn:]) if part)
    return ends if ends[-1][0] - ends[0][0] >= _ENDS_APART_MS else (min(hours, key=_degrees),)


def _said(hours: Hours, whole: Law) -> float:
    """The extreme to be expected by a day's hours: the lower of two is below both."""
    ends = _ends(hours, whole.extreme)
    (_, first_f), (_, last_f) = ends[0], ends[-1]
    if len(ends) == 1:
        return first_f
    wide = math.hypot(*(_sigma(whole, at) for at, _ in ends))
    apart = (last_f - first_f) / wide
    return first_f + wide * (apart * below(-apart) - math.exp(-apart * apart / 2) / math.sqrt(2 * math.pi))


def _sigma(whole: Law, at_ms: int) -> float:
    return whole.sigma if whole.spread is None else whole.spread.at(at_ms)


def _degrees(hour: tuple[int, float]) -> float:
    return hour[1]


def _new(whole: Law, at_ms: int, seen_ms: int) -> float:
    """How far an hour may be from what is expected of it after a report."""
    return max(_SIGMA_MIN_F, _sigma(whole, at_ms) * math.sqrt(1 - _kept(at_ms - seen_ms) ** 2))


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
