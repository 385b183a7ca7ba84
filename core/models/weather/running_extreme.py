"""The rest of a day that has begun: the extreme still to come, given the error of the forecast now.

The final high is ``max(M, R)``, M observed so far, R the maximum of the remaining hours; the final low is
``min(M, R)`` with their minimum. The hours that remain begin with the newest reading: what came after it
nobody has seen. The forecast's error is taken as a mean-reverting process with its stationary spread equal to
the day model's sigma: an error seen now has ``exp(-h/3)`` of its size left ``h`` hours later, and what is new
by then has variance ``sigma^2 (1 - exp(-2h/3))``.

A low may come at either end of the day: towards dawn, or before midnight where the day turns colder. The two
are further apart than errors last, so that R is the lower of two that have nothing to do with each other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from core.domain.market import Extreme
from core.feeds.stations import HOUR_MS
from core.models.weather.temperature import Lower, Temperature, lower_of

DAMPING_H = 3.0
APART_MS = 6 * HOUR_MS
"""Between two lows: an eighth of an error seen at the one is left at the other."""
SIGMA_MIN_F = 0.8
"""Peaks between readings, sensor quality and reports corrected later keep this much open to the end."""


def remaining(
    law: Temperature,
    hourly: Sequence[tuple[int, float]],
    day_extreme_f: float,
    end_ms: int,
    reading: tuple[int, float],
    extreme: Extreme = Extreme.HIGH,
) -> Temperature | Lower | None:
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
    expected = [(f + error * _kept(at - reading[0]), at) for f, at in ahead]
    if not expected:
        return _at(law, (reading[1], reading[0]), reading[0])
    if extreme is Extreme.HIGH:
        return _at(law, max(expected, key=_warmth), reading[0])
    lows = _lows(expected)
    early, late = (_at(law, low, reading[0]) for low in (lows[0], lows[-1]))
    return early if len(lows) == 1 else lower_of(early, late)


Hour = tuple[float, int]
"""Degrees F expected at a world ms."""


def _lows(expected: Sequence[Hour]) -> tuple[Hour, ...]:
    """The coldest hour, or the coldest on either side of the warmest where those are far enough apart."""
    turn = expected.index(max(expected, key=_warmth))
    if turn:
        early, late = min(expected[:turn], key=_warmth), min(expected[turn:], key=_warmth)
        if late[1] - early[1] >= APART_MS:
            return early, late
    return (min(expected, key=_warmth),)


def _warmth(hour: Hour) -> float:
    return hour[0]


def _at(law: Temperature, hour: Hour, seen_ms: int) -> Temperature:
    """What that hour will be, as wide as what is new since the reading."""
    fresh = math.sqrt(1.0 - _kept(hour[1] - seen_ms) ** 2)
    sigma = max(SIGMA_MIN_F, law.sigma * fresh)
    scale = sigma / law.sigma
    return Temperature(hour[0], sigma, law.mean_se * scale, law.sigma_se * scale, law.shape)


def at_time(hourly: Sequence[tuple[int, float]], at_ms: int) -> float | None:
    """The hourly series at a moment, linear between hours; ``None`` outside it."""
    for (start, f), (end, g) in itertools.pairwise(hourly):
        if start <= at_ms <= end:
            return f + (g - f) * (at_ms - start) / (end - start)
    return None


def _kept(span_ms: int) -> float:
    return math.exp(-max(0, span_ms) / HOUR_MS / DAMPING_H)
