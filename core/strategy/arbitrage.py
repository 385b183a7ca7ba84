"""Sets of orders that together pay more than they cost, whatever a question's figure turns out to be.

YES of a market pays on its span, NO everywhere else; of a threshold that is one span again. From this every
scan is one of two: spans that leave no hole in a range (*cover*), and spans that do not overlap in it
(*packing*), the range being the whole line, or one bracket that is sold or bought against them.

- YES of a cover of the line pays at least 1: complete sets, overlapping thresholds.
- NO of k spans that do not overlap pays at least k - 1: every outcome sold, nested strikes.
- NO of a bracket with YES of a cover of it pays at least 1, YES of it with NO of k spans packed into it k:
  brackets against differences of thresholds, nested brackets.

A set goes as deep into the books as one more of it, bought at the limits of all its orders, still brings what
is asked: whatever of the better prices is gone by then, none costs more. Fees are the most that takers' come
to. One book seen from both sides never makes a set: its two outcomes cost a dollar and the spread.
"""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from core.domain.book import Book
from core.domain.fees import UnknownFeeError, estimate
from core.domain.market import Market
from core.domain.order import BookSide
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Money, Price, Quantity, notional_up
from core.strategy.edge import paid
from core.strategy.questions import LINE, Question, Span
from core.strategy.rules import EntryRules, MarketView
from core.strategy.sizing import whole

VENUES_CHARGE: Final = Price(100)
"""What settling on two venues is charged, a set: sources, voids and disputes are not the same."""
LEVELS_MAX: Final = 8
"""Of a side of a book: what is behind them is not looked at."""
_YES, _NO = BookSide.BID, BookSide.ASK
"""The sides that buy each outcome."""


class Depth(msgspec.Struct, frozen=True):
    """What is there up to a limit."""

    limit: Price
    """In YES terms."""
    shown: Quantity
    """Contracts at it or a better price."""
    most: Quantity
    """What of them one order may take."""


class Taking(msgspec.Struct, frozen=True):
    """One outcome of one market bought from its book."""

    market: Market
    side: BookSide
    depths: tuple[Depth, ...]
    """Level by level, the touch first; each lets an order be larger than the one before it."""

    @property
    def most(self) -> Quantity:
        return self.depths[-1].most

    def limit(self, quantity: Quantity) -> Price:
        """The shallowest limit at which an order may be so large; it is not larger than ``most``."""
        return next(depth.limit for depth in self.depths if depth.most >= quantity)

    def fee(self, quantity: Quantity) -> Money:
        """The most that the fees of it come to at its limit."""
        return estimate(self.market.fees, self.limit(quantity), quantity, is_taker=True)

    def cost(self, quantity: Quantity) -> Money:
        """The most it comes to, fees included: all of it at its limit."""
        return Money(notional_up(paid(self.side, self.limit(quantity)), quantity) + self.fee(quantity))

    def cost_as_shown(self, quantity: Quantity) -> Money:
        """What it comes to if it gets all that is shown before it, fees included."""
        left, before, cost = int(quantity), 0, 0
        for depth in self.depths:
            taken = Quantity(min(left, depth.shown - before))
            fee = estimate(self.market.fees, depth.limit, taken, is_taker=True)
            cost += notional_up(paid(self.side, depth.limit), taken) + fee
            left, before = left - taken, depth.shown
            if left == 0:
                break
        return Money(min(cost, self.cost(quantity)))


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
    """The least that all of it brings, net of fees, in the worst outcome with every leg filled."""

    @property
    def profit_as_shown(self) -> Money:
        """What it brings if every leg gets what is shown before it."""
        saved = (leg.cost(self.quantity) - leg.cost_as_shown(self.quantity) for leg in self.legs)
        return Money(self.profit + sum(saved))

    @property
    def bound_by(self) -> str:
        """What ends it where its books do."""
        deepest = self.quantity == min(leg.most for leg in self.legs)
        return "depth share" if deepest else "prices of the next sets"

    def brings(self, asked: Price) -> bool:
        """Whether a set of it brings something, and at least that much."""
        return self.profit > 0 and self.profit * ONE_DOLLAR >= asked * self.quantity


Reach = Callable[[Price], Price]
"""How far beyond the touch an order may go, by its own price in terms of the outcome it buys."""


def takings(view: MarketView, rules: EntryRules, reach: Reach) -> tuple[Taking, ...]:
    """What may be bought of a market, YES and NO; nothing from a book that is stale or crossed."""
    if view.stale or view.book.crossed:
        return ()
    least = max(rules.min_quantity, view.market.minimum)
    found = []
    for side in (_YES, _NO):
        depths = tuple(_depths(view.book, side, least, rules, reach))
        if depths:
            found.append(Taking(view.market, side, depths))
    return tuple(found)


def _depths(book: Book, side: BookSide, least: Quantity, rules: EntryRules, reach: Reach) -> Iterator[Depth]:
    touch, shown, most = None, Quantity(0), Quantity(0)
    for price, size in itertools.islice(book.walk(side.opposite), LEVELS_MAX):
        own = paid(side, price)
        touch = own if touch is None else touch
        if own > rules.price_max or own - touch > reach(own):
            return
        shown = Quantity(shown + size)
        before, most = most, whole(Quantity(int(shown * rules.depth_share)))
        if most > before and most >= least:
            yield Depth(price, shown, most)


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


def scan(question: Question, offered: Sequence[Taking], asked: Price = Price(0)) -> Locked | None:
    """The set of a question that brings most at one size as the books show it, each of the sets at least
    ``asked`` whatever it gets of what they show; ``None`` where there is none."""
    if question.refusal or not any(_sets(question.spans, offered, ONE_CONTRACT, _gross)):
        return None
    best: Locked | None = None
    for quantity in _sizes(offered):
        enough = [taking for taking in offered if taking.most >= quantity]
        found = [locked for locked in _sets(question.spans, enough, quantity, _net) if locked.brings(asked)]
        if best is not None and not found:
            break  # what is deeper is dearer
        best = max([best, *found] if best is not None else found, key=_as_shown, default=None)
    return best


def across(
    first: Sequence[Taking], second: Sequence[Taking], asked: Price = Price(0), *, opposite: bool
) -> Locked | None:
    """Both answers of one question bought on two venues, ``opposite`` where YES of one is NO of the other:
    the way and the size that bring most as the books show it, each set at least ``asked``; ``None`` where
    there is none."""
    found = []
    for legs in ((one, other) for one in first for other in second if (one.side is other.side) is opposite):
        for quantity in _sizes(legs):
            if quantity <= min(leg.most for leg in legs):
                cost = sum(_net(leg, quantity) for leg in legs) + charge(quantity)
                found.append(Locked(PlanKind.VENUES, legs, quantity, Money(quantity - cost)))
    return max((locked for locked in found if locked.brings(asked)), key=_as_shown, default=None)


def charge(quantity: Quantity) -> Money:
    """What so many sets on two venues are charged for settling there."""
    return Money(VENUES_CHARGE * quantity // ONE_DOLLAR)


def _as_shown(locked: Locked) -> tuple[int, int]:
    """The fewer sets of two that bring as much."""
    return locked.profit_as_shown, -locked.quantity


def _sizes(offered: Sequence[Taking]) -> list[Quantity]:
    """What to try: between two of them nothing is had that the larger one lacks."""
    return sorted({depth.most for taking in offered for depth in taking.depths})


Cost = Callable[[Taking, Quantity], int]


def _gross(taking: Taking, quantity: Quantity) -> int:
    return notional_up(paid(taking.side, taking.depths[0].limit), quantity)


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
