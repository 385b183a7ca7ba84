"""An event's brackets as one ladder of whole degrees, and where its rungs lie on a law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from core.domain.market import Market
from core.models.laws import Shape
from core.models.prediction import Part, edges
from core.models.weather.normal import Normal


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


def part(rungs: Sequence[Rung], law: Normal, at_least: int | None = None, weight: float = 1.0) -> Part:
    """The rungs on a law of the unrounded high: a rung reaches half a degree beyond its whole ones.

    ``at_least`` is an observed lower bound M of a final maximum ``max(M, R)`` with ``law`` the
    distribution of R: rungs wholly below M are worth nothing, the rung that holds M gets all of R's mass
    up to its upper edge, and nothing is normalised away.
    """
    ends = [(_edge(rung.low, -0.5, at_least), _edge(rung.high, 0.5, at_least)) for rung in rungs]
    lower, upper = edges(ends)
    return Part(
        Shape.NORMAL, law.mean, law.sigma, lower, upper, weight, law.mean_se, law.sigma_se / law.sigma
    )


def _edge(degrees: int | None, half: float, at_least: int | None) -> float | None:
    """Half a degree beyond; all of the law lies above an edge below what has been reached."""
    if degrees is None:
        return None
    edge = degrees + half
    return -math.inf if at_least is not None and edge < at_least else edge
