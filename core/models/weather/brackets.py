"""An event's brackets as one ladder of whole degrees, and a distribution's mass on each rung."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from core.domain.market import Market
from core.models.weather.normal import Normal, density


class Rung(msgspec.Struct, frozen=True):
    """Whole degrees that pay YES, both ends inclusive, ``None`` for an open end."""

    ticker: str
    low: int | None
    high: int | None


def ladder(markets: Sequence[Market]) -> tuple[Rung, ...] | str:
    """The event's rungs from cold to warm, or why they are not one exhaustive exclusive set."""
    if len(markets) < 2:
        return "fewer than two brackets"
    if len({m.event_ticker for m in markets}) != 1:
        return "brackets of different events"
    if not all(m.exclusive for m in markets):
        return "event is not marked mutually exclusive"
    rungs = []
    for market in markets:
        degrees = market.strike.whole_degrees()
        if degrees is None:
            return f"{market.label}: strike is not a range of whole degrees"
        rungs.append(Rung(market.ticker, *degrees))
    rungs.sort(key=lambda r: (r.low is not None, r.low or 0))
    if rungs[0].low is not None or rungs[-1].high is not None:
        return "brackets do not reach both tails"
    for lower, upper in itertools.pairwise(rungs):
        if lower.high is None or upper.low is None or upper.low != lower.high + 1:
            return f"brackets {lower.ticker} and {upper.ticker} are not contiguous"
    return tuple(rungs)


def probabilities(rungs: Sequence[Rung], law: Normal, at_least: int | None = None) -> tuple[float, ...]:
    """Mass on each rung of the settled (rounded) value: ``F(high + 1/2) - F(low - 1/2)``.

    ``at_least`` is an observed lower bound M of a final maximum ``max(M, R)`` with ``law`` the
    distribution of R: rungs wholly below M are worth nothing, the rung that holds M gets all of R's mass
    up to its upper edge, and nothing is normalised away. The sum telescopes to one.
    """
    masses, below = [], 0.0
    for rung in rungs:
        upto = 1.0 if rung.high is None else _upto(rung.high, law, at_least)
        masses.append(upto - below)
        below = upto
    return tuple(masses)


def standard_errors(rungs: Sequence[Rung], law: Normal, at_least: int | None = None) -> tuple[float, ...]:
    """One standard error of each probability: the errors of mean and sigma, propagated to first order."""
    errors, lower = [], (0.0, 0.0)
    for rung in rungs:
        upper = (0.0, 0.0) if rung.high is None else _slopes(rung.high, law, at_least)
        by_mean, by_sigma = upper[0] - lower[0], upper[1] - lower[1]
        errors.append(math.hypot(by_mean * law.mean_se, by_sigma * law.sigma_se))
        lower = upper
    return tuple(errors)


def _upto(high: int, law: Normal, at_least: int | None) -> float:
    return 0.0 if at_least is not None and high < at_least else law.below(high + 0.5)


def _slopes(high: int, law: Normal, at_least: int | None) -> tuple[float, float]:
    """Derivatives of the distribution function at an edge by mean and by sigma."""
    if at_least is not None and high < at_least:
        return 0.0, 0.0
    z = (high + 0.5 - law.mean) / law.sigma
    slope = density(z) / law.sigma
    return -slope, -z * slope
