"""An event's brackets as one ladder of whole degrees, and where its rungs lie on a law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from core.domain.market import Extreme, Market
from core.models.prediction import Part, edges
from core.models.weather.temperature import Temperature


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


class Reached(msgspec.Struct, frozen=True):
    """What the day has seen so far, in whole degrees: the final high is no less, the final low no more."""

    f: int
    extreme: Extreme = Extreme.HIGH


def part(
    rungs: Sequence[Rung], law: Temperature, reached: Reached | None = None, weight: float = 1.0
) -> Part:
    """The rungs on a law of the unrounded extreme: a rung reaches half a degree beyond its whole ones.

    With M observed so far ``law`` is that of R over what is left of the day, and the final high is
    ``max(M, R)``: rungs wholly below M are worth nothing, the rung that holds M gets all of R's mass up to
    its upper edge, and nothing is normalised away. A low is ``min(M, R)``, the same from the other side.
    """
    ends = [(_edge(rung.low, -0.5, reached), _edge(rung.high, 0.5, reached)) for rung in rungs]
    lower, upper = edges(ends)
    scale = law.sigma / law.shape.deviation
    return Part(law.shape, law.mean, scale, lower, upper, weight, law.mean_se, law.sigma_se / law.sigma)


def _edge(degrees: int | None, half: float, reached: Reached | None) -> float | None:
    """Half a degree beyond; all of the law lies on one side of an edge that the day has passed."""
    if degrees is None:
        return None
    edge = degrees + half
    if reached is None:
        return edge
    if reached.extreme is Extreme.HIGH:
        return -math.inf if edge < reached.f else edge
    return math.inf if edge > reached.f else edge
