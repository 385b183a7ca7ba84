"""The skew that options are priced with, laid over a law: what a digital is worth where volatility depends on
the strike.

A digital is the limit of a call spread, so that with a volatility that changes with the strike

    P(S > K) = N(d2) - S n(d1) sqrt(T) dsigma/dK        (Breeden and Litzenberger 1978).

The smile is taken as a function of the distance in deviations, ``sigma(u) / sigma(0) = 1 + slope w + curve
w^2`` with ``w = R tanh(u / R)``, so that it is flat far out and carries over to other horizons than its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from scipy.special import ndtr, ndtri

from core.feeds.quotes import OptionMark
from core.models.fair_value import InputAge
from core.models.laws import Array, Shape, density

STRIKES_MIN = 5
REACH = 2.5
"""Deviations within which strikes are used, and beyond which the smile goes flat."""
_SIDE_MIN = 0.5
"""To both sides of the forward the strikes must reach so far."""
LIFE_MIN = 0.1
"""A smile of days says nothing of minutes: the part of its option's life that the horizon must be."""
RESIDUAL_MAX = 0.08
"""Mean error of the fit, relative to the volatility at the forward."""
_PASSES = 4
_YEAR_MS = 365 * 86_400_000
_CHECKED = np.linspace(-8.0, 8.0, 321)
"""Distances at which probabilities must not fall."""
_ROUNDING = 1e-12


class Smile(msgspec.Struct, frozen=True):
    """See the module. ``percent`` is the volatility at the forward."""

    slope: float
    curve: float
    percent: float
    expires_ms: int
    strikes: int
    age: InputAge

    def below(self, x: Array, deviation: float) -> Array:
        """Probability of a logarithmic return of at most ``x``, ``deviation`` that of a return at no skew."""
        u = x / deviation
        with np.errstate(over="ignore"):
            w = REACH * np.tanh(u / REACH)
        bends = 1.0 - (w / REACH) ** 2
        at_strike = deviation * (1.0 + self.slope * w + self.curve * w * w)
        with np.errstate(invalid="ignore"):
            z = np.where(np.isinf(x), x, (x + at_strike**2 / 2) / at_strike)
        turned = (self.slope + 2.0 * self.curve * w) * bends
        return np.asarray(np.clip(ndtr(z) + density(Shape.NORMAL, z) * turned, 0.0, 1.0))

    def edges(self, x: Sequence[float], deviation: float) -> tuple[float, ...]:
        """Where a standard normal has those probabilities."""
        return tuple(ndtri(self.below(np.array(x), deviation)).tolist())


def smile_of(marks: Iterable[OptionMark], now_ms: int, ends_ms: int) -> Smile | str:
    """The smile of the first expiry after ``ends_ms`` whose marks give one, or why there is none."""
    by_expiry: defaultdict[int, list[OptionMark]] = defaultdict(list)
    for mark in marks:
        fresh = now_ms - mark.stamp.event_ms <= mark.stale_after_s * 1000
        if fresh and mark.expires_ms >= ends_ms and mark.strike > 0:
            by_expiry[mark.expires_ms].append(mark)
    why = "no fresh mark of a later expiry"
    for expires_ms in sorted(by_expiry):
        if ends_ms - now_ms < LIFE_MIN * (expires_ms - now_ms):
            return f"the next options live {(expires_ms - now_ms) / 3_600_000:.0f} h, too long for it"
        found = _fitted(by_expiry[expires_ms], expires_ms, now_ms)
        if isinstance(found, Smile):
            return found
        why = found
    return why


def _fitted(marks: Sequence[OptionMark], expires_ms: int, now_ms: int) -> Smile | str:
    years = (expires_ms - now_ms) / _YEAR_MS
    away = np.array([math.log(mark.strike / mark.underlying) for mark in marks])
    percent = np.array([mark.mark_percent for mark in marks])
    level = float(percent[np.argmin(np.abs(away))])
    slope = curve = 0.0
    for _ in range(_PASSES):  # distances are in deviations of the level that is sought
        u = away / (level / 100 * math.sqrt(years))
        used = np.abs(u) <= REACH
        strikes = len({mark.strike for mark, kept in zip(marks, used, strict=True) if kept})
        if strikes < STRIKES_MIN or not u[used].min() <= -_SIDE_MIN < _SIDE_MIN <= u[used].max():
            return f"{strikes} strikes near the forward are too few or all on one side"
        w = REACH * np.tanh(u[used] / REACH)
        columns = np.column_stack([np.ones(w.size), w, w * w])
        found, *_ = np.linalg.lstsq(columns, percent[used], rcond=None)
        apart = float(np.sqrt(np.mean((columns @ found - percent[used]) ** 2)))
        if not found[0] > 0 or apart > RESIDUAL_MAX * found[0]:
            return "its marks lie on no smile"
        level, slope, curve = float(found[0]), float(found[1] / found[0]), float(found[2] / found[0])
    oldest = min(marks, key=lambda mark: mark.stamp.event_ms + mark.stale_after_s * 1000)
    age = InputAge(f"smile ({oldest.source})", oldest.stamp.event_ms, oldest.stale_after_s)
    smile = Smile(slope, curve, level, expires_ms, strikes, age)
    return smile if _sound(smile) else "its probabilities would fall with the strike"


def _sound(smile: Smile) -> bool:
    """Whether it is a distribution at short and long horizons."""
    w = REACH * np.tanh(_CHECKED / REACH)
    if float((1.0 + smile.slope * w + smile.curve * w * w).min()) <= 0.0:
        return False
    return all(float(np.diff(smile.below(_CHECKED * dev, dev)).min()) >= -_ROUNDING for dev in (0.001, 0.2))
