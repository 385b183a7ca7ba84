"""How much: exact Kelly with a part of the bankroll, drawn towards the market by the model's error, and caps.

A fraction of Kelly is full Kelly of that fraction of the bankroll: what is held counts whole in it, so that
looking again after a fill wants no more than before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.units import ONE_CONTRACT, Money, Price, Quantity
from core.strategy.kelly import IMPOSSIBLE, Bet, best, exclusive
from core.strategy.outcomes import Outcomes

TOP_UP_DIVISOR: Final = 4
"""An addition smaller than this part of what is there is left out: crumbs cost rate and queue places."""
_WHOLE: Final = 1e-6
"""Of a contract, and of a cap: a solution so close under a whole one is it."""


class Offer(msgspec.Struct, frozen=True):
    """A bet that may be made in one market. Dollars a contract."""

    ticker: str
    yes: bool
    cost: float
    """All-in, in (0, 1)."""
    edge: float
    sigma: float
    """One standard error of the edge."""
    most: Quantity
    """What every cap of this market alone allows."""


class Stake(msgspec.Struct, frozen=True):
    """What Kelly makes of an offer."""

    full: float
    """Full-Kelly fraction of the bankroll with nothing held, before shrinking, the other offers as large as
    they can be had: of it and the shrinking ``wanted`` is made, where nothing is held."""
    shrink: float
    """Factor for estimation error."""
    wanted: Quantity
    """Contracts to add to what is held; not more than the offer's most."""


class Held(msgspec.Struct, frozen=True):
    """What is held or on order in one market: net contracts of YES, and what they cost."""

    net: Quantity
    cost: Money


class Cap(msgspec.Struct, frozen=True):
    """One upper bound of an order's size and the words the operator reads when it binds."""

    name: str
    quantity: Quantity


def stakes(
    event: Outcomes, offers: Sequence[Offer], held: Mapping[str, Sequence[Held]], playing: Money
) -> Mapping[str, Stake]:
    """Stakes by ticker on one event; ``playing`` is the part of the bankroll that full Kelly is played with.

    Where what is held could cost all of it nothing is wanted.
    """
    if not offers:
        return {}
    free = _full(event, offers)
    had = _had(event, offers, free, playing)
    added = _added(event, offers, had, held, playing)
    return {
        offer.ticker: Stake(
            full=(max(alone, count) if capped else count) * offer.cost,
            shrink=had.factor,
            wanted=Quantity(min(offer.most, whole(Quantity(int((more + _WHOLE) * ONE_CONTRACT))))),
        )
        for offer, alone, count, capped, more in zip(
            offers, free, had.contracts, had.capped, added, strict=True
        )
    }


def holds(held: Mapping[str, Sequence[Held]]) -> bool:
    """Whether anything is held or on order on the event."""
    return any(part.net or part.cost for parts in held.values() for part in parts)


class Sizer:
    """``stakes`` of one event, solved anew whenever anything that they are made of differs from the last
    time. A card is looked at four times a second, and its market rests."""

    def __init__(self) -> None:
        self._asked: object = None
        self._answer: Mapping[str, Stake] = {}

    def __call__(
        self, event: Outcomes, offers: Sequence[Offer], held: Mapping[str, Sequence[Held]], playing: Money
    ) -> Mapping[str, Stake]:
        asked = (event, tuple(offers), dict(held), playing)
        if asked != self._asked:
            self._answer = stakes(event, offers, held, playing)
            self._asked = asked
        return self._answer


def _full(event: Outcomes, offers: Sequence[Offer]) -> Sequence[float]:
    """Contracts of full Kelly for a dollar of wealth, nothing held; no single bet takes more than all."""
    chances = [(_chance(event, offer), offer.cost) for offer in offers]
    # With all that can happen on offer the set may be an arbitrage, which has no closed form.
    open_ended = sum(chance for chance, _ in chances) < 1.0 - IMPOSSIBLE
    if event.exclusive and open_ended and all(offer.yes for offer in offers):
        return [f / o.cost for f, o in zip(exclusive(chances), offers, strict=True)]
    everywhere = (1.0,) * len(event.probabilities)
    return best(event.probabilities, everywhere, [_bet(event, o, 1.0 / o.cost) for o in offers]).contracts


class _Had(msgspec.Struct, frozen=True):
    """Full Kelly for a dollar of wealth as far as its offers can be had, nothing held."""

    contracts: Sequence[float]
    capped: Sequence[bool]
    """Whether an offer's own caps leave something of it out, which is for the operator to see."""
    factor: float
    """For what they may err."""


def _had(event: Outcomes, offers: Sequence[Offer], free: Sequence[float], playing: Money) -> _Had:
    """What of ``free`` is left by caps: a stake that they leave out neither pays for another as its hedge nor
    vouches for its error."""
    factor = _factor(offers, free)
    money = factor * playing / 1e6
    caps = [o.most / ONE_CONTRACT / money if money > 0.0 else math.inf for o in offers]
    if all(count <= cap for count, cap in zip(free, caps, strict=True)):
        return _Had(free, (False,) * len(offers), factor)
    everywhere = (1.0,) * len(event.probabilities)
    bets = [_bet(event, o, min(cap, 1.0 / o.cost)) for o, cap in zip(offers, caps, strict=True)]
    counts = best(event.probabilities, everywhere, bets).contracts
    capped = [count >= cap * (1.0 - _WHOLE) for count, cap in zip(counts, caps, strict=True)]
    return _Had(counts, capped, _factor(offers, counts))


def _added(
    event: Outcomes, offers: Sequence[Offer], had: _Had, held: Mapping[str, Sequence[Held]], playing: Money
) -> Sequence[float]:
    """Contracts to add to what is held."""
    money = playing / 1e6
    if not holds(held):  # full Kelly of the money played with, drawn towards the market, is that part of it
        each = zip(offers, had.contracts, had.capped, strict=True)
        return [o.most / ONE_CONTRACT if capped else had.factor * count * money for o, count, capped in each]
    believed = _drawn(event.probabilities, _flat_wealth(event, offers, had.contracts), had.factor)
    wealth = _wealth(event, held, playing)
    if min((w for w, p in zip(wealth, believed, strict=True) if p > IMPOSSIBLE), default=0.0) <= 0.0:
        return (0.0,) * len(offers)
    return best(believed, wealth, [_bet(event, o, o.most / ONE_CONTRACT) for o in offers]).contracts


def _chance(event: Outcomes, offer: Offer) -> float:
    pays = event.pays[offer.ticker]
    return sum(p for p, paid in zip(event.probabilities, pays, strict=True) if paid is offer.yes)


def _bet(event: Outcomes, offer: Offer, most: float) -> Bet:
    pays = event.pays[offer.ticker]
    return Bet(pays if offer.yes else tuple(not paid for paid in pays), offer.cost, max(0.0, most))


def _flat_wealth(event: Outcomes, offers: Sequence[Offer], contracts: Sequence[float]) -> list[float]:
    wealth = [1.0] * len(event.probabilities)
    for offer, count in zip(offers, contracts, strict=True):
        bet = _bet(event, offer, count)
        for j, paid in enumerate(bet.pays):
            wealth[j] += count * (paid - bet.cost)
    return wealth


def _factor(offers: Sequence[Offer], contracts: Sequence[float]) -> float:
    """The event's bets are one portfolio. They rest on one forecast: its errors are taken to add up."""
    gain = sum(o.edge * count for o, count in zip(offers, contracts, strict=True))
    error = sum(o.sigma * count for o, count in zip(offers, contracts, strict=True))
    return shrink(gain, error)


def _drawn(probabilities: Sequence[float], wealth: Sequence[float], factor: float) -> list[float]:
    """Probabilities drawn towards those by which no stake has an edge that could be had, ``p / W`` of full
    Kelly.

    With nothing held this multiplies every stake by ``factor``, which for one contract is the shrinking of
    Baker and McHale.
    """
    fair = [p / w if p > IMPOSSIBLE else 0.0 for p, w in zip(probabilities, wealth, strict=True)]
    drawn = [factor * p + (1.0 - factor) * q for p, q in zip(probabilities, fair, strict=True)]
    total = sum(drawn)
    return [chance / total for chance in drawn]


def _wealth(event: Outcomes, held: Mapping[str, Sequence[Held]], playing: Money) -> list[float]:
    """Dollars by outcome if nothing is added."""
    wealth = [playing / 1e6] * len(event.probabilities)
    for ticker, parts in held.items():
        pays = event.pays.get(ticker)
        for part in parts:
            count, cost = abs(part.net) / ONE_CONTRACT, part.cost / 1e6
            for j in range(len(wealth)):
                # What is held where no price says in which outcome it pays counts as lost.
                paid = pays is not None and pays[j] is (part.net > 0)
                wealth[j] += (count if paid else 0.0) - cost
    return wealth


def played(bankroll: Money, fraction: float, elsewhere: Money) -> Money:
    """The part of the bankroll full Kelly is played with on one event, ``elsewhere`` being at risk on others.

    Stakes made at once are scaled down together by one over one plus the sum of the full fractions.
    """
    part = fraction * bankroll
    return Money(int(part * part / (part + max(0, elsewhere)))) if part > 0 else Money(0)


def shrink(edge: float, sigma: float) -> float:
    """Factor in [0, 1] for an edge known with standard error ``sigma`` (Baker and McHale 2013)."""
    return edge * edge / (edge * edge + sigma * sigma) if edge > 0.0 else 0.0


def affordable(money: Money, unit_cost: Price) -> Quantity:
    """Whole contracts that ``money`` covers at an all-in cost per contract."""
    if money <= 0:
        return Quantity(0)
    return whole(Quantity(money * 10_000 // unit_cost))


def whole(quantity: Quantity) -> Quantity:
    """``quantity`` cut to whole contracts."""
    return Quantity(quantity // ONE_CONTRACT * ONE_CONTRACT)


def crumb(quantity: Quantity, there: Quantity) -> bool:
    """Whether so many contracts more would only add a little to what is held and on order."""
    return quantity * TOP_UP_DIVISOR < there


def smallest(caps: Sequence[Cap]) -> Cap:
    """The cap that binds: the smallest, the first named among equals."""
    return min(caps, key=lambda cap: cap.quantity)
