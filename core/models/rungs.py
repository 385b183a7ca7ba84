"""An event's markets on one number line: which published values pay each, and whether they fit together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from core.domain.market import Market, Strike, StrikeKind

_WHOLE = 1e-6
"""A strike this near to a published value is that value: what floating point makes of two decimals."""


class Rung(msgspec.Struct, frozen=True):
    """Published values that pay YES, in steps of ``precision``; both ends inclusive, ``None`` open."""

    ticker: str
    low: int | None
    high: int | None
    precision: float = 1.0

    @property
    def lower(self) -> float | None:
        """Half a step under the lowest value that pays, in the value's own unit."""
        return (self.low - 0.5) * self.precision if self.low is not None else None

    @property
    def upper(self) -> float | None:
        """Half a step over the highest one."""
        return (self.high + 0.5) * self.precision if self.high is not None else None


def rungs(markets: Sequence[Market], precision: float, *, signed: bool = False) -> tuple[Rung, ...] | str:
    """The event's markets, lowest first, or why they cannot be priced together.

    Markets that exclude each other must leave no hole and reach both tails; a single one stands for itself,
    and so do thresholds, of which several may pay. ``signed``: values may be zero or less.
    """
    if not markets:
        return "no markets"
    if len({m.event_ticker for m in markets}) != 1:
        return "markets of different events"
    found = []
    for market in markets:
        ends = _ends(market.strike, precision, signed=signed)
        if isinstance(ends, str):
            return f"{market.label}: {ends}"
        found.append(Rung(market.ticker, *ends, precision))
    found.sort(key=lambda r: (r.low is not None, r.low or 0, r.high or 0))
    fault = _holes(found) if exclusive(markets) else ""
    return fault or tuple(found)


def exclusive(markets: Sequence[Market]) -> bool:
    """Whether exactly one of an event's markets pays."""
    return len(markets) > 1 and any(market.exclusive for market in markets)


def _holes(found: Sequence[Rung]) -> str:
    if found[0].low is not None or found[-1].high is not None:
        return "brackets do not reach both tails"
    for lower, upper in itertools.pairwise(found):
        if lower.high is None or upper.low is None or upper.low != lower.high + 1:
            return f"brackets {lower.ticker} and {upper.ticker} are not contiguous"
    return ""


def _ends(strike: Strike, precision: float, *, signed: bool) -> tuple[int | None, int | None] | str:
    """Lowest and highest value that pays, in steps."""
    floor, cap = strike.floor, strike.cap
    known = [bound for bound in (floor, cap) if bound is not None]
    if not all(math.isfinite(bound) and (signed or bound > 0) for bound in known):
        return "a strike is no number" if signed else "a strike is no price"
    match strike.kind:
        case StrikeKind.GREATER if floor is not None:
            return math.floor(_steps(floor, precision)) + 1, None
        case StrikeKind.GREATER_OR_EQUAL if floor is not None:
            return math.ceil(_steps(floor, precision)), None
        case StrikeKind.LESS if cap is not None:
            return None, math.ceil(_steps(cap, precision)) - 1
        case StrikeKind.LESS_OR_EQUAL if cap is not None:
            return None, math.floor(_steps(cap, precision))
        case StrikeKind.BETWEEN if floor is not None and cap is not None:
            low, high = math.ceil(_steps(floor, precision)), math.floor(_steps(cap, precision))
            return (low, high) if low <= high else "its range is empty"
        case _:
            return f"its strike is {strike.kind.value} without what that needs"


def _steps(bound: float, precision: float) -> float:
    steps = bound / precision
    near = round(steps)
    return float(near) if abs(steps - near) < _WHOLE else steps
