"""Sets of orders that together pay more than they cost, whatever a question's figure turns out to be.

YES of a market pays on its span, NO everywhere else; of a threshold that is one span again. From this every
scan is one of two: spans that leave no hole in a range (*cover*), and spans that do not overlap in it
(*packing*), the range being the whole line, or one bracket that is sold or bought against them.

- YES of a cover of the line pays at least 1: complete sets, overlapping thresholds.
- NO of k spans that do not overlap pays at least k - 1: every outcome sold, nested strikes.
- NO of a bracket with YES of a cover of it pays at least 1, YES of it with NO of k spans packed into it k:
  brackets against differences of thresholds, nested brackets.

Only what is shown at the touch is counted, at the most that takers' fees come to. One book seen from both
sides never makes a set: its two outcomes cost a dollar and the spread.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from core.domain.fees import UnknownFeeError, estimate
from core.domain.market import Market
from core.domain.order import BookSide
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Money, Price, Quantity, notional_up
from core.strategy.edge import paid
from core.strategy.questions import LINE, Question, Span
from core.strategy.rules import EntryRules, MarketView
from core.strategy.sizing import whole

_YES, _NO = BookSide.BID, BookSide.ASK
"""The sides that buy each outcome."""


class Taking(msgspec.Struct, frozen=True):
    """One outcome of one market bought from its touch."""

    market: Market
    side: BookSide
    price: Price
    """In YES terms."""
    shown: Quantity
    """Contracts at that price."""
    most: Quantity
    """What of them one order may take."""

    def cost(self, quantity: Quantity) -> Money:
        """The most it comes to, fees included."""
        fee = estimate(self.market.fees, self.price, quantity, is_taker=True)
        return Money(notional_up(paid(self.side, self.price), quantity) + fee)


class PlanKind(enum.Enum):
    """What a set is called."""

    SET = "every YES bought"
    SOLD = "every YES sold"
    NESTED = "nested strikes"
    DIFFERENCE = "brackets against strikes"
    VENUES = "two venues"


class Locked(msgspec.Struct, frozen=True):
    """A set and what it is sure to bring."""

    kind: PlanKind
    legs: tuple[Taking, ...]
    quantity: Quantity
    """Of each leg."""
    profit: Money
    """Of all of it, net of fees, in the worst outcome with every leg filled."""


def takings(view: MarketView, rules: EntryRules) -> tuple[Taking, ...]:
    """What may be bought from a market's touch, YES and NO; nothing from a book that is stale or crossed."""
    book, market = view.book, view.market
    if view.stale or book.crossed:
        return ()
    found = []
    for side, touch in ((_YES, book.best_ask), (_NO, book.best_bid)):
        if touch is None or paid(side, touch) > rules.price_max:
            continue
        shown = book.size(side.opposite, touch)
        most = whole(Quantity(int(shown * rules.depth_share)))
        if most >= max(rules.min_quantity, market.minimum):
            found.append(Taking(market, side, touch, shown, most))
    return tuple(found)


def hopeless(question: Question, touches: Sequence[tuple[Price | None, Price | None]]) -> bool:
    """Whether a glance at best bids and asks, in the order of the spans, rules a set out.

    Of spans that do not overlap all YES must cost under a dollar together, or be sold for more than one.
    """
    if question.refusal:
        return True
    if not question.apart:
        return False
    bids = sum(bid for bid, _ in touches if bid is not None)
    asks = [ask for _, ask in touches if ask is not None]
    return bids <= ONE_DOLLAR and (len(asks) < len(touches) or sum(asks) >= ONE_DOLLAR)


def scan(question: Question, offered: Sequence[Taking]) -> Locked | None:
    """The set of a question that brings most at one size; ``None`` where none brings anything."""
    if question.refusal or not any(_sets(question.spans, offered, ONE_CONTRACT, _gross)):
        return None
    best: Locked | None = None
    for quantity in sorted({taking.most for taking in offered}):
        enough = [taking for taking in offered if taking.most >= quantity]
        for locked in _sets(question.spans, enough, quantity, _net):
            if best is None or locked.profit > best.profit:
                best = locked
    return best


def between(
    first: Sequence[Taking], second: Sequence[Taking], *, opposite: bool
) -> tuple[tuple[Taking, Taking], ...]:
    """The ways to hold both answers of one question on two venues, ``opposite`` where YES of one is NO of the
    other."""
    return tuple((one, other) for one in first for other in second if (one.side is other.side) is opposite)


Cost = Callable[[Taking, Quantity], int]


def _gross(taking: Taking, quantity: Quantity) -> int:
    return notional_up(paid(taking.side, taking.price), quantity)


def _net(taking: Taking, quantity: Quantity) -> int:
    try:
        return taking.cost(quantity)
    except UnknownFeeError:
        return _NEVER


_NEVER: Final = 1 << 62
"""More than anything costs."""


class _Way(msgspec.Struct, frozen=True):
    """A taking with its cost and the span it pays on (of a cover) or fails on (of a packing)."""

    taking: Taking
    cost: int
    span: Span


def _sets(
    spans: Mapping[str, Span], offered: Sequence[Taking], quantity: Quantity, cost: Cost
) -> Iterator[Locked]:
    """Every set of the two forms, in every range, that brings something at this size."""
    paying: list[_Way] = []
    failing: list[_Way] = []
    for taking in offered:
        span, price = spans[taking.market.ticker], cost(taking, quantity)
        rest = _complement(span)
        pays, fails = (span, rest) if taking.side is _YES else (rest, span)
        paying += [_Way(taking, price, pays)] if pays is not None else []
        failing += [_Way(taking, price, fails)] if fails is not None else []
    bought = cover(LINE, paying)
    if bought is not None:
        yield from _worth(bought[1], quantity, quantity - bought[0])
    gained, sold = packing(LINE, failing, quantity)
    yield from _worth(sold, quantity, gained - quantity)
    for way in (way for way in failing if way.span.bracket):
        filled = cover(way.span, [other for other in paying if _other(other, way)])
        if filled is not None:
            yield from _worth([way, *filled[1]], quantity, quantity - way.cost - filled[0])
    for way in (way for way in paying if way.span.bracket):
        inside = [other for other in failing if _other(other, way)]
        gained, sold = packing(way.span, inside, quantity)
        yield from _worth([way, *sold], quantity, gained - way.cost)


def _other(one: _Way, than: _Way) -> bool:
    return one.taking.market.ticker != than.taking.market.ticker


def _complement(span: Span) -> Span | None:
    """Everywhere else, where that is one span: not outside of a bracket."""
    if span.bracket:
        return None
    return Span(span.high, math.inf) if span.low == -math.inf else Span(-math.inf, span.low)


def cover(area: Span, ways: Sequence[_Way]) -> tuple[int, list[_Way]] | None:
    """The cheapest spans that leave no hole in ``area``, with what they cost together."""
    reached: list[tuple[float, int, list[_Way]]] = [(area.low, 0, [])]
    """Up to where the area is covered, for how much, by what."""
    for way in sorted(ways, key=lambda way: way.span.high):
        before = [known for known in reached if way.span.low <= known[0] < way.span.high]
        if before:
            _, cost, chosen = min(before, key=lambda known: known[1])
            reached.append((way.span.high, cost + way.cost, [*chosen, way]))
    whole_of_it = [known for known in reached if known[0] >= area.high]
    if not whole_of_it:
        return None
    _, cost, chosen = min(whole_of_it, key=lambda known: known[1])
    return cost, chosen


def packing(area: Span, ways: Sequence[_Way], quantity: Quantity) -> tuple[int, list[_Way]]:
    """The spans inside ``area`` that do not overlap and gain most, each a dollar less its cost."""
    best: list[tuple[float, int, list[_Way]]] = [(area.low, 0, [])]
    """Up to where spans reach, what they gain, which they are."""
    for way in sorted(ways, key=lambda way: way.span.high):
        gain = quantity - way.cost
        if gain > 0 and area.low <= way.span.low and way.span.high <= area.high:
            _, gained, chosen = max(
                (known for known in best if known[0] <= way.span.low), key=lambda known: known[1]
            )
            best.append((way.span.high, gained + gain, [*chosen, way]))
    _, gained, chosen = max(best, key=lambda known: known[1])
    return gained, chosen


def _worth(ways: Sequence[_Way], quantity: Quantity, profit: int) -> Iterator[Locked]:
    if profit > 0 and len(ways) > 1:
        legs = tuple(way.taking for way in ways)
        yield Locked(_kind(legs), legs, quantity, Money(profit))


def _kind(legs: Sequence[Taking]) -> PlanKind:
    sides = {leg.side for leg in legs}
    if len(sides) == 1:
        return PlanKind.SET if _YES in sides else PlanKind.SOLD
    return PlanKind.NESTED if len(legs) == 2 else PlanKind.DIFFERENCE
