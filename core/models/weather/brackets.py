"""An event's brackets as one ladder of whole degrees, and where its rungs lie on a law."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from scipy.special import ndtri

from core.domain.market import Extreme, Market
from core.models.laws import Shape
from core.models.prediction import Part, edges
from core.models.rungs import Rung, rungs
from core.models.weather.temperature import Lower, Temperature


def ladder(markets: Sequence[Market]) -> tuple[Rung, ...] | str:
    """The event's rungs from cold to warm, or why they are not one exhaustive exclusive set."""
    if len(markets) < 2:
        return "fewer than two brackets"
    if not all(m.exclusive for m in markets):
        return "event is not marked mutually exclusive"
    for market in markets:
        if market.strike.whole_degrees() is None:
            return f"{market.label}: strike is not a range of whole degrees"
    return rungs(markets, 1.0, signed=True)


class Reached(msgspec.Struct, frozen=True):
    """What the day has seen so far, in whole degrees: the final high is no less, the final low no more."""

    f: int
    extreme: Extreme = Extreme.HIGH


def part(
    brackets: Sequence[Rung], law: Temperature | Lower, reached: Reached | None = None, weight: float = 1.0
) -> Part:
    """The brackets on a law of the unrounded extreme: each reaches half a degree beyond its whole ones.

    With M observed so far ``law`` is that of R over what is left of the day, and the final high is
    ``max(M, R)``: brackets wholly below M are worth nothing, the one that holds M gets all of R's mass up to
    its upper edge, and nothing is normalised away. A low is ``min(M, R)``, the same from the other side. The
    lower of two is handed on as the standard normal, with the edges where that has the same probabilities.
    """
    lower, upper = edges([(_passed(one.lower, reached), _passed(one.upper, reached)) for one in brackets])
    relative = law.sigma_se / law.sigma
    if isinstance(law, Temperature):
        return Part(law.shape, law.mean, law.scale, lower, upper, weight, law.mean_se, relative)
    lower, upper = (tuple(ndtri(law.below(side)).tolist()) for side in (lower, upper))
    return Part(Shape.NORMAL, 0.0, 1.0, lower, upper, weight, law.mean_se / law.sigma, relative)


def _passed(edge: float | None, reached: Reached | None) -> float | None:
    """All of the law lies on one side of an edge that the day has passed."""
    if edge is None or reached is None:
        return edge
    if reached.extreme is Extreme.HIGH:
        return -math.inf if edge < reached.f else edge
    return math.inf if edge > reached.f else edge
