"""How an event's markets hang together: the outcomes of which one happens, and what each market pays in them.

Exclusive markets are an outcome each, and what they leave of certainty is one more; one market alone has
two. Thresholds cut the line into steps. Anything else is not understood, and says so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.market import Market, Strike, StrikeKind

TOLERANCE: Final = 1e-6
"""Of a sum of probabilities that should be one, or of an order among them."""

_CUT: Final = {
    StrikeKind.GREATER: (True, 1),
    StrikeKind.GREATER_OR_EQUAL: (True, 0),
    StrikeKind.LESS: (False, 0),
    StrikeKind.LESS_OR_EQUAL: (False, 1),
}
"""By kind of threshold: whether it pays above its bound, and whether the bound itself lies below the cut."""


class Outcomes(msgspec.Struct, frozen=True):
    """``probabilities`` sum to one; ``pays`` says by ticker in which of the outcomes YES pays."""

    probabilities: tuple[float, ...]
    pays: Mapping[str, tuple[bool, ...]]
    exclusive: bool = False
    """Whether each market pays in an outcome of its own."""


def outcomes(chances: Sequence[tuple[Market, float]]) -> Outcomes | str:
    """The outcomes of one event by its priced markets, or why they make none."""
    if not all(math.isfinite(chance) and 0.0 <= chance <= 1.0 for _, chance in chances):
        return "a fair value of the event is no probability"
    apart = all(market.exclusive for market, _ in chances)
    if len(chances) == 1 or apart or _disjoint([market for market, _ in chances]):
        return _brackets(chances)
    return _thresholds(chances)


def _brackets(chances: Sequence[tuple[Market, float]]) -> Outcomes | str:
    overlap = _overlap([market for market, _ in chances])
    if overlap:
        return overlap
    total = math.fsum(chance for _, chance in chances)
    if total > 1.0 + TOLERANCE:
        return f"the chances of its exclusive markets add up to {total:.3f}"
    rest = max(0.0, 1.0 - total)
    places = range(len(chances) + 1)
    pays = {market.ticker: tuple(i == j for j in places) for i, (market, _) in enumerate(chances)}
    scale = total + rest
    return Outcomes((*(chance / scale for _, chance in chances), rest / scale), pays, exclusive=True)


def _thresholds(chances: Sequence[tuple[Market, float]]) -> Outcomes | str:
    """Steps between the cuts of one-sided strikes, each as likely as the thresholds around it differ."""
    above: dict[tuple[float, int], float] = {}
    cuts: list[tuple[str, bool, tuple[float, int]]] = []
    for market, chance in chances:
        found = _cut(market.strike)
        if found is None:
            return "its markets overlap in a way that is not understood"
        pays_above, cut = found
        chance_above = chance if pays_above else 1.0 - chance
        if abs(above.setdefault(cut, chance_above) - chance_above) > TOLERANCE:
            return f"two markets disagree about {cut[0]:g}"
        cuts.append((market.ticker, pays_above, cut))
    order = sorted(above)
    levels = [1.0, *(above[cut] for cut in order), 0.0]
    steps = [low - high for low, high in itertools.pairwise(levels)]
    if min(steps) < -TOLERANCE:
        return f"beyond {order[max(0, steps.index(min(steps)) - 1)][0]:g} is likelier the further it is"
    steps = [max(0.0, step) for step in steps]
    total = math.fsum(steps)
    place = {cut: i for i, cut in enumerate(order)}
    pays = {
        ticker: tuple((step > place[cut]) is pays_above for step in range(len(steps)))
        for ticker, pays_above, cut in cuts
    }
    return Outcomes(tuple(step / total for step in steps), pays)


def _cut(strike: Strike) -> tuple[bool, tuple[float, int]] | None:
    if strike.kind not in _CUT:
        return None
    above, after = _CUT[strike.kind]
    bound = strike.floor if above else strike.cap
    return (above, (bound, after)) if bound is not None else None


def _disjoint(markets: Sequence[Market]) -> bool:
    """Whether strikes alone show that at most one of the markets pays."""
    return all(_range(market) is not None for market in markets) and not _overlap(markets)


def _overlap(markets: Sequence[Market]) -> str:
    """Two markets that can pay together although at most one should, in words; empty where none can."""
    known = [(found, market) for market in markets if (found := _range(market)) is not None]
    known.sort(key=lambda pair: pair[0])
    for ((_, end), first), ((start, _), second) in itertools.pairwise(known):
        if start < end:
            return f"the strikes of {first.ticker} and {second.ticker} overlap"
    return ""


def _range(market: Market) -> tuple[float, float] | None:
    """Where YES pays, ends not told apart; of whole degrees with the half that rounds to them."""
    strike = market.strike
    degrees = strike.whole_degrees() if market.station is not None else None
    if degrees is not None:
        low, high = degrees
        return -math.inf if low is None else low - 0.5, math.inf if high is None else high + 0.5
    match strike.kind:
        case StrikeKind.BETWEEN if strike.floor is not None and strike.cap is not None:
            return strike.floor, strike.cap
        case StrikeKind.GREATER | StrikeKind.GREATER_OR_EQUAL if strike.floor is not None:
            return strike.floor, math.inf
        case StrikeKind.LESS | StrikeKind.LESS_OR_EQUAL if strike.cap is not None:
            return -math.inf, strike.cap
        case _:
            return None
