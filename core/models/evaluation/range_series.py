"""Range models over past prices: what each would have said of every day, with what was known then.

Fitted parameters are made anew every ``REFIT_DAYS`` from the returns before; with a last day for fits they
stay as they were then, while weighted means of past squares, which are inputs, go on. All laws are of
logarithmic returns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import msgspec
import numpy as np

from core.feeds.stations import DAY_MS, HOUR_MS
from core.models.evaluation.range_files import Daily, Hourly
from core.models.evaluation.rows import DEFAULT, Days
from core.models.laws import Array, Shape
from core.models.ranges.clocks import week_hour
from core.models.ranges.fitting import Prior, best_shape, likelihood, log_scale
from core.models.ranges.squares import ewma, week_shape
from core.models.ranges.volatility import HALF_LIFE_MS

REFIT_DAYS = 30
LAMBDA = 0.94
"""Of a day's weighted squares (RiskMetrics 1996)."""
LEVEL_DAYS = 20
"""Returns whose mean square is where weighted ones begin."""
_TINY = 1e-16
"""Variance of what has not moved yet."""


class Said(msgspec.Struct, frozen=True):
    """What a model said of every outcome: shape and standard deviation of its logarithmic return."""

    shapes: tuple[Shape, ...]
    deviation: Array


class Series(msgspec.Struct, frozen=True):
    """One series of events: what happened, and what each model had said; arrays of one length."""

    group: str
    lead: int
    hour_utc: int | None
    days: Days
    """Proleptic ordinals of the days on which they settled."""
    outcomes: Array
    """Logarithmic returns."""
    edges: Array
    """Of the brackets, logarithmic returns; each holds its lower edge."""
    models: dict[str, Said]
    left_out: int
    """Days of the file that could not be used: a hole, a half day, a missing number."""


# --- S&P 500, next close --------------------------------------------------------------------------

VIX_PRIOR = Prior((math.log(0.8),), 60.0)
"""Of what the index implies four fifths came true in the decades before any of this data."""
TRADING_DAYS = 252
GAP_DAYS = 4
"""Calendar days between two closes around a holiday; more is a hole in the file."""


def spx(data: Daily, fit_until: int | None) -> Series:
    """Next close by the VIX of the close before."""
    close, vix = data.columns["spx_close"], data.columns["vix_close"]
    returns, implied = np.diff(np.log(close)), vix[:-1] / 100 / math.sqrt(TRADING_DAYS)
    good = np.isfinite(returns) & np.isfinite(implied) & (np.diff(data.days) <= GAP_DAYS)
    days, returns, implied = data.days[1:][good], returns[good], implied[good]
    ones = np.ones((days.size, 1))
    scaled = implied.copy()
    for here, known in blocks(days, fit_until):
        factor = log_scale(Shape.T6, (returns / implied)[known], ones[known], VIX_PRIOR)
        scaled[here] *= math.exp(factor[0])
    models = {
        "raw-vix": _said(Shape.NORMAL, implied),
        "ewma": _said(Shape.NORMAL, _weighted(returns)),
        "scaled-vix": _said(Shape.NORMAL, scaled),
        DEFAULT: _said(Shape.T6, scaled),
    }
    left_out = max(0, data.days.size - 1 - days.size)
    return Series("SPX", 1, None, days, returns, _edges(0.012, 0.003), models, left_out)


# --- SPY, noon to close ---------------------------------------------------------------------------

MORNING_PRIOR = Prior((0.0, 1.0, 0.0), 20.0)
"""As wide as the same hours lately, whatever the morning was."""
OPEN, NOON, CLOSE = 9, 12, 16
"""Hours in which the first bar begins, the contract begins, and it ends."""
_RANGE2 = 1.0 / (4.0 * math.log(2.0))
"""Variance for a squared logarithmic range (Parkinson 1980)."""
_STILL = 1e-4
"""A morning moves at least so much: nothing at all has no logarithm."""
_AFTERNOON = 4.0 / 6.5
"""Of a session's hours."""


def spy(data: Hourly, fit_until: int | None) -> Series:
    """From noon to the close by the same hours of the days before and the morning's ranges. Half days and
    days with a hole are left out."""
    day, hour = _day(data.begins_ms), data.begins_ms // HOUR_MS % 24
    inside = (hour >= OPEN) & (hour < CLOSE)
    all_days, count = np.unique(day[inside], return_counts=True)
    days = all_days[count == CLOSE - OPEN]
    rows = inside & np.isin(day, days)
    opens, highs, lows, closes = (
        data.columns[name][rows].reshape(days.size, CLOSE - OPEN) for name in ("open", "high", "low", "close")
    )
    returns = np.log(closes[:, -1] / opens[:, NOON - OPEN])
    morning = np.sqrt(_RANGE2 * (np.log(highs / lows)[:, : NOON - OPEN] ** 2).sum(axis=1))
    whole = np.diff(np.log(closes[:, -1]), prepend=np.log(opens[:1, 0]))
    good = np.isfinite(returns) & np.isfinite(morning) & np.isfinite(whole)
    days, returns, morning, whole = days[good], returns[good], morning[good], whole[good]
    window = _weighted(returns)
    known = np.column_stack([np.ones(days.size), np.log(window), np.log(np.maximum(morning, _STILL))])
    shapes, scaled = [Shape.T6] * days.size, window.copy()
    for here, seen in blocks(days, fit_until):
        shape, found = best_shape(returns[seen], known[seen], MORNING_PRIOR)
        scaled[here] = np.exp(known[here] @ found)
        shapes[here] = [shape] * scaled[here].size
    models = {
        "daily-ewma": _said(Shape.NORMAL, _weighted(whole) * math.sqrt(_AFTERNOON)),
        "window-ewma": _said(Shape.NORMAL, window),
        "window-ewma-t": _said(Shape.T6, window),
        DEFAULT: Said(tuple(shapes), scaled),
    }
    left_out = int(all_days.size - days.size)
    return Series("SPY", 0, None, days, returns, _edges(0.012, 0.002), models, left_out)


# --- EUR/USD, one hour ----------------------------------------------------------------------------

FX_HOUR_UTC = 13
SLOW, FAST = 0.998, 0.97
"""Of an hour's squares, once what the hour of the week explains is taken out."""
FACTOR_PRIOR = Prior((0.0,), 60.0)
"""What weighted squares say, as it is."""
_FX_EDGE, _FX_STEP = 0.006 / math.sqrt(6), 0.0015 / math.sqrt(6)
"""Brackets of six hours' width, narrowed to one."""


def eurusd(data: Hourly, fit_until: int | None) -> Series:
    """From 13 to 14 UTC by the hour of the week on New York's clock and weighted means of past squares. The
    desk keeps one mean, of a short memory (``ranges/volatility.py``), of returns by the minute: what comes
    nearest to those is the range of an hour."""
    opens, highs, lows, closes = (data.columns[name] for name in ("open", "high", "low", "close"))
    good = np.isfinite(opens) & np.isfinite(highs) & np.isfinite(lows) & np.isfinite(closes)
    begins_ms, hourly = data.begins_ms[good], np.log(closes[good] / opens[good])
    within = _RANGE2 * np.log(highs[good] / lows[good]) ** 2
    at_day, week_hours = _day(begins_ms), np.array([week_hour(int(ms)) for ms in begins_ms], dtype=np.int64)
    target = np.flatnonzero(begins_ms // HOUR_MS % 24 == FX_HOUR_UTC)
    days, returns = at_day[target], hourly[target]
    clock, mixed, shapes = np.empty(days.size), np.empty(days.size), [Shape.T5] * days.size
    desk = np.empty(days.size)
    for here, seen in blocks(days, fit_until):
        fitted = int(target[seen][-1]) + 1 if seen.stop else 0
        ends = int(target[here][-1]) + 1
        weights = week_shape(week_hours[:fitted], hourly[:fitted] ** 2)[week_hours[:ends]]
        calm = hourly[:ends] / np.sqrt(weights)
        slow, fast = (_weighted(calm, decay) for decay in (SLOW, FAST))
        clock[here] = (slow * np.sqrt(weights))[target[here]]
        desk[here] = np.sqrt(_short(begins_ms[:ends], within[:ends], weights) * weights)[target[here]]
        both = np.sqrt(weights * (slow**2 + fast**2) / 2)[target[: here.stop]]
        shape, factor = best_shape(returns[seen] / both[seen], np.ones((seen.stop, 1)), FACTOR_PRIOR)
        mixed[here] = both[here] * math.exp(factor[0])
        shapes[here] = [shape] * mixed[here].size
    models = {
        "flat": _said(Shape.NORMAL, _flat_hour(at_day, closes[good], days)),
        "clock": _said(Shape.NORMAL, clock),
        "clock-t": _said(Shape.T5, clock),
        "mixed-t": Said(tuple(shapes), mixed),
        DEFAULT: _said(Shape.T5, desk),
    }
    left_out = int((~good).sum())
    edges = _edges(_FX_EDGE, _FX_STEP)
    return Series("EUR/USD", 0, FX_HOUR_UTC, days, returns, edges, models, left_out)


def _short(begins_ms: Days, squares: Array, weights: Array) -> Array:
    """Variance of an average hour before each, as the desk has it: what was over what the clock says of its
    hours, both worth half after ``HALF_LIFE_MS``."""
    before, last_ms = np.empty(squares.size), 0
    moved = passed = 0.0
    for at, (began_ms, square, weight) in enumerate(
        zip(begins_ms.tolist(), squares.tolist(), weights.tolist(), strict=True)
    ):
        fade = 0.5 ** ((began_ms - last_ms) / HALF_LIFE_MS)
        last_ms, moved, passed = began_ms, moved * fade, passed * fade
        before[at] = moved / passed if passed > _TINY else _TINY
        moved, passed = moved + square, passed + weight
    return np.maximum(before, _TINY)


def _flat_hour(at_day: Days, closes: Array, wanted: Days) -> Array:
    """A twenty-fourth of a day's variance, as if every hour were like every other."""
    if not at_day.size:
        return np.array([])
    all_days, first = np.unique(at_day, return_index=True)
    last = np.append(first[1:], at_day.size) - 1
    daily = np.diff(np.log(closes[last]), prepend=np.log(closes[:1]))
    return np.asarray(_weighted(daily)[np.searchsorted(all_days, wanted)] / math.sqrt(24))


# --- BTC/USD, next day ----------------------------------------------------------------------------

RECENT = 250
"""Days the law's shape and factor are made of: a coin's are not what they were two years ago."""
DECAYS = (0.85, 0.90, 0.94, 0.97)
"""How fast past squares may fade: what made the returns before likeliest is taken."""


def btcusd(data: Daily, fit_until: int | None) -> Series:
    """Next day's close by weighted past squares. A return over missing days is of none and left out."""
    returns = np.diff(np.log(data.columns["close"]))
    good = np.isfinite(returns) & (np.diff(data.days) == 1)
    days, returns = data.days[1:][good], returns[good]
    by_decay = {decay: _weighted(returns, decay) for decay in DECAYS}
    usual = by_decay[LAMBDA]
    scaled, shapes = usual.copy(), [Shape.T4] * days.size
    for here, seen in blocks(days, fit_until):
        recent = slice(max(0, seen.stop - RECENT), seen.stop)
        shape, found = _likeliest(returns[recent], {d: past[recent] for d, past in by_decay.items()})
        scaled[here] = found[0] * by_decay[found[1]][here]
        shapes[here] = [shape] * scaled[here].size
    models = {
        "ewma": _said(Shape.NORMAL, usual),
        "ewma-t": _said(Shape.T4, usual),
        DEFAULT: Said(tuple(shapes), scaled),
    }
    left_out = max(0, data.days.size - 1 - days.size)
    return Series("BTC/USD", 1, None, days, returns, _edges(0.08, 0.02), models, left_out)


def _likeliest(returns: Array, by_decay: dict[float, Array]) -> tuple[Shape, tuple[float, float]]:
    """The shape, with its factor and decay, that makes the returns likeliest."""
    ones, found = np.ones((returns.size, 1)), []
    for decay, past in by_decay.items():
        shape, factor = best_shape(returns / past, ones, FACTOR_PRIOR)
        scale = math.exp(factor[0])
        said = likelihood(shape, returns, scale * past) if returns.size else float(decay == LAMBDA)
        found.append((said, shape, (scale, decay)))
    _, shape, best = max(found, key=lambda fit: fit[0])
    return shape, best


# --- shared ---------------------------------------------------------------------------------------


def blocks(days: Days, fit_until: int | None) -> Iterator[tuple[slice, slice]]:
    """Stretches of days that share one fit, each with the days before it that the fit may see."""
    at, last = 0, days.size
    if fit_until is not None:
        last = int(np.searchsorted(days, fit_until, "right"))
    while at < days.size:
        ends = days.size if at >= last else min(last, int(np.searchsorted(days, days[at] + REFIT_DAYS)))
        yield slice(at, ends), slice(0, min(at, last))
        at = ends


def _weighted(returns: Array, decay: float = LAMBDA) -> Array:
    """Standard deviation before each return, from weighted squares of those before it."""
    if not returns.size:
        return returns
    start = float((returns[:LEVEL_DAYS] ** 2).mean())
    return np.asarray(np.sqrt(np.maximum(ewma(returns**2, decay, start), _TINY)))


def _said(shape: Shape, deviation: Array) -> Said:
    return Said((shape,) * deviation.size, deviation)


def _edges(reach: float, step: float) -> Array:
    """Every ``step`` from ``-reach`` to ``reach`` of simple return, as logarithmic ones."""
    steps = round(reach / step)
    return np.asarray(np.log1p(np.arange(-steps, steps + 1) * step))


def _day(begins_ms: Days) -> Days:
    return np.asarray(begins_ms // DAY_MS + date(1970, 1, 1).toordinal())
