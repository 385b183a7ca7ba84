"""The market's price as a forecast beside the model's, and what the two say together.

An event's mids are normalised, sharpened by an exponent ``s`` and pooled with the model's probabilities ``p``
in logarithms, the model with weight ``w``:

    pooled ~ q^(s (1 - w)) p^w,    q = mid / sum of the event's mids,

normalised over the event's outcomes where exactly one pays, else over YES and NO of each market. Of weather
prices to February 2025, market and a model of several sources were fitted with exponents 0.57 and 0.44 the
evening before, 1.03 and 0.21 overnight. A model of one source gets no weight before its own record earns one.

A market is read as a forecast only where its book is fresh and tight. A side that nobody quotes is the end of
the scale, zero or a dollar: a bracket offered at one cent without a bid is quoted tightly. Where that leaves
more than ``SPREAD_MAX`` between bid and ask the book says too little. One such bracket takes the market part
from its whole event, as mids of some outcomes cannot be normalised; the model is then shown alone, and is not
traded on.
"""

from __future__ import annotations

import enum
import math
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.domain.units import ONE_DOLLAR, Price
from core.models.laws import Array

SPREAD_MAX = Price(1_000)
MID_MIN = 0.005
"""Half a tick: the mid of a dead bracket, between nothing and one cent. Nothing is quoted as more certain."""
ODDS_ERROR_MAX = 3.0
"""Log-odds known no better than to a factor of twenty: far out in a tail first order means nothing more."""
_TINY = 1e-300
"""Keeps the logarithm of what is impossible finite; raised to any weight in use it is still nothing."""


class Lead(enum.Enum):
    """How far off the day is that a forecast is of; for other events than weather nothing was measured."""

    EVENING = "the evening before"
    NIGHT = "overnight"
    RUNNING = "on the day"
    OTHER = ""


class Weights(msgspec.Struct, frozen=True):
    """What a model and the market count in a pool."""

    model: float
    """From nothing to all."""
    sharpen: float = 1.0
    """Exponent of the market's own probabilities."""


_USUAL = {
    Lead.EVENING: Weights(0.35, 1.0),
    Lead.NIGHT: Weights(0.15, 1.05),
    Lead.RUNNING: Weights(0.10, 1.15),
    Lead.OTHER: Weights(0.0, 1.0),
}
"""Of several independent sources. Fitted before 2025-02-12 on AUS and CHI (evening and night), six cities
(sharpening)."""


def usual(sources: int, lead: Lead) -> Weights:
    """What a model without a record of its own gets: nothing where it has but one source."""
    known = _USUAL[lead]
    return known if sources > 1 else msgspec.structs.replace(known, model=0.0)


# --- the market's part ----------------------------------------------------------------------------


class Quoted(NamedTuple):
    """Best YES prices of a market that are not our own; ``None`` where nobody quotes."""

    bid: Price | None
    ask: Price | None


def unreadable(quoted: Quoted) -> str:
    """Why a book says too little to be a forecast, one clause; empty where it does."""
    bid = quoted.bid if quoted.bid is not None else 0
    ask = quoted.ask if quoted.ask is not None else ONE_DOLLAR
    if bid >= ask:
        return "its book is crossed"
    if ask - bid <= SPREAD_MAX:
        return ""
    if quoted.bid is None or quoted.ask is None:
        missing = "quotes" if quoted == (None, None) else "bids" if quoted.bid is None else "offers"
        return f"nobody {missing} there"
    return f"its spread is {(ask - bid) / 100:g}c, more than {SPREAD_MAX / 100:g}c"


# --- arrays ---------------------------------------------------------------------------------------


class Groups(NamedTuple):
    """Outcomes side by side: groups of which one pays, and markets that stand alone with their NO."""

    starts: npt.NDArray[np.int64]
    """Where each group begins; a market that stands alone is a group of one."""
    of: npt.NDArray[np.int64]
    """The group of each outcome."""
    alone: npt.NDArray[np.int64]
    """Places of the markets that stand alone."""


def inside(mids: Array) -> Array:
    """Mids as a forecast takes them: none is nearer to certain than half a tick."""
    return np.asarray(np.minimum(np.maximum(mids, MID_MIN), 1.0 - MID_MIN))


def normalised(mids: Array, groups: Groups) -> Array:
    """Mids as probabilities: those of a group sum to one."""
    sums = np.add.reduceat(mids, groups.starts)
    sums[groups.of[groups.alone]] = 1.0
    return np.asarray(mids / sums[groups.of])


def pooled(model: Array, mids: Array, weight: Array, sharpen: Array, groups: Groups) -> Array:
    """Both forecasts together; mids need not be normalised. Weight one is the model, whatever they are."""
    exponent = (1.0 - weight) * sharpen
    power, market = _log(model), _log(mids)
    power *= weight
    market *= exponent
    power += market
    np.exp(power, out=power)
    sums = np.add.reduceat(power, groups.starts)
    at = groups.alone
    if at.size:
        other = weight[at] * _log(1.0 - model[at]) + exponent[at] * _log(1.0 - mids[at])
        sums[groups.of[at]] += np.exp(other)
    return np.asarray(power / sums[groups.of])


def errors(
    together: Array,
    model: tuple[Array, Array],
    market: tuple[Array, Array],
    weight: Array,
    sharpen: Array,
) -> Array:
    """One standard error of ``pooled``, from ``model`` and ``market`` with theirs, taken as independent.

    To first order and in log-odds, where a pool is a weighted sum: exact for YES and NO, and for a bracket as
    if the others moved together.
    """
    odds = weight * _odds_error(*model), (1.0 - weight) * sharpen * _odds_error(*market)
    return np.asarray(together * (1.0 - together) * np.hypot(*odds))


def mid_errors(widths: Array) -> Array:
    """Of a mid: what it stands for lies anywhere between bid and ask."""
    return widths / math.sqrt(12.0)


def _log(chance: Array) -> Array:
    held = np.maximum(chance, _TINY)
    return np.asarray(np.log(held, out=held))


def _odds_error(chance: Array, error: Array) -> Array:
    return np.asarray(np.minimum(error / np.maximum(chance * (1.0 - chance), _TINY), ODDS_ERROR_MAX))
