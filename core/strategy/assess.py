"""The best entry one market offers now, with its net edge or the word that stands in its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.domain.fees import UnknownFeeError
from core.domain.market import MarketStatus, TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity
from core.strategy.edge import Cost, cost_at, net_edge, paid, taker_cost
from core.strategy.proposal import FeeRole
from core.strategy.rules import EntryRules, MarketView
from core.strategy.sizing import whole

STALE = "stale"
QUARANTINED = "quar"
UNCONFIRMED = "conf"
"""Beside the edge of a market that waits for the operator's word on what it settles on."""
NOTHING = "--"


class Estimate(Protocol):
    """All that is read of a fair value here. When and from what it was made moves no price."""

    @property
    def probability(self) -> float: ...
    @property
    def sigma(self) -> float: ...
    @property
    def model_probability(self) -> float: ...
    @property
    def weight(self) -> float: ...


class Assessment(msgspec.Struct, frozen=True):
    """``edge`` is per contract at ``price`` and about ``quantity``; ``word`` replaces it on screen.

    An entry may be proposed when ``word`` is empty, ``edge >= needed`` and ``blocked`` is empty.
    """

    ticker: str
    word: str = ""
    reason: str = ""
    """Why there is a word, or why an edge may not be traded now."""
    side: BookSide = BookSide.BID
    role: FeeRole = FeeRole.MAKER
    price: Price = Price(0)
    quantity: Quantity = Quantity(0)
    """Depth share at the price: what the book lets us do, before Kelly and limits."""
    edge: Price = Price(0)
    needed: Price = Price(0)
    fill: float = 1.0
    """Share of it expected to fill within an hour, by the size before it."""
    blocked: bool = False

    @property
    def pays(self) -> bool:
        return self.edge >= self.needed

    @property
    def tradable(self) -> bool:
        return not self.word and not self.blocked and self.pays

    @property
    def preference(self) -> tuple[bool, float, bool]:
        """By what it may be expected to bring where it pays, else by what it lacks; resting before taking."""
        return (
            self.pays,
            self.edge * self.fill if self.pays else self.edge - self.needed,
            self.role is FeeRole.MAKER,
        )


def assess(fair: Estimate, view: MarketView, rules: EntryRules, now_ms: int) -> Assessment:
    """The best of buying YES and buying NO in ``view``'s market; ``now_ms`` is world time."""
    return _held_back(_offered(fair, view, rules), view, rules, now_ms)


class Assessor:
    """``assess`` of one market: what its book offers is worked out anew whenever estimate, book, terms or
    rules differ from the last time. What is held, and the time, are asked each time."""

    def __init__(self) -> None:
        self._asked: object = None
        self._offer: Assessment

    def __call__(self, fair: Estimate, view: MarketView, rules: EntryRules, now_ms: int) -> Assessment:
        said = (fair.probability, fair.sigma, fair.model_probability, fair.weight)
        # A book is one object that changes in place, its count says whether it has.
        asked = (said, view.market, view.book, view.book.changes, view.stale, rules)
        if asked != self._asked:
            self._offer = _offered(fair, view, rules)
            self._asked = asked
        return _held_back(self._offer, view, rules, now_ms)


def _offered(fair: Estimate, view: MarketView, rules: EntryRules) -> Assessment:
    """The best entry, whatever is held and however late it is."""
    ticker = view.market.ticker
    if view.stale:
        return Assessment(ticker, STALE, view.stale)
    bid, ask = view.book.best_bid, view.book.best_ask
    if bid is None or ask is None:
        return Assessment(ticker, NOTHING, "book has one side only")
    if bid >= ask:
        return Assessment(ticker, NOTHING, "book is crossed")
    low, high = rules.probability_bounds
    if not low <= fair.probability <= high:
        return Assessment(ticker, NOTHING, f"fair value outside {low * 100:g}..{high * 100:g}c")
    try:
        found = [a for side in BookSide for a in _entries_on(side, fair, view, rules)]
    except UnknownFeeError as error:
        return Assessment(ticker, NOTHING, str(error))
    if not found:
        return Assessment(ticker, NOTHING, "nothing to do at these prices")
    best = max(found, key=lambda a: a.preference)
    doubt = too_good(fair, view, best.price, best.edge, rules)
    return msgspec.structs.replace(best, word=QUARANTINED, reason=doubt) if doubt else best


def _held_back(best: Assessment, view: MarketView, rules: EntryRules, now_ms: int) -> Assessment:
    """With the reason why it may not be proposed now, where there is one."""
    blocked = "" if best.word else _blocked(best, view, rules, now_ms)
    return msgspec.structs.replace(best, blocked=True, reason=blocked) if blocked else best


def needed_edge(
    fair: Estimate, view: MarketView, side: BookSide, price: Price, cost: Cost, rules: EntryRules
) -> Price:
    """The smallest edge worth an entry: a floor, a share of the error and of the cost, and more than the
    tick by which the price could move against us."""
    grid = view.market.grid
    worse = grid.above(price) if side is BookSide.BID else grid.below(price)
    end = ONE_DOLLAR if side is BookSide.BID else 0
    tick = abs((worse if worse is not None else end) - price)
    return Price(
        max(
            rules.min_edge,
            math.ceil(rules.edge_sigmas * fair.sigma * ONE_DOLLAR),
            math.ceil(rules.min_return * cost.average),
            tick + 1,
        )
    )


def edge_at(
    fair: Estimate,
    view: MarketView,
    side: BookSide,
    price: Price,
    quantity: Quantity,
    role: FeeRole,
    rules: EntryRules,
) -> tuple[Cost, Price] | None:
    """Cost and net edge of opening ``quantity`` at ``price`` as maker, or as taker up to it.

    A taker's edge has paid the spread, every level's price and the fee; a maker's the news that comes with
    a fill; both the second fee where the plan is to sell before settlement.
    """
    fees = view.market.fees
    cost = (
        cost_at(fees, side, price, quantity, role)
        if role is FeeRole.MAKER
        else taker_cost(fees, view.book, side, quantity, price)
    )
    if cost is None:
        return None
    return cost, _net(fair, view, side, cost, role, rules)


def _net(
    fair: Estimate, view: MarketView, side: BookSide, cost: Cost, role: FeeRole, rules: EntryRules
) -> Price:
    edge = net_edge(fair.probability, side, cost, view.market.fees if rules.sell_before_settlement else None)
    return Price(edge - rules.adverse_selection) if role is FeeRole.MAKER else edge


def _entries_on(side: BookSide, fair: Estimate, view: MarketView, rules: EntryRules) -> list[Assessment]:
    """Maker's and taker's entries on one side, as far as the rules and the model's worth allow them.

    A model that adds nothing to the market gives no direction to pay a spread for: what is left is to quote
    around what both say together.
    """
    found = resting_on(side, fair, view, rules) if rules.maker else []
    limit = _taking_limit(side, fair, view, rules) if rules.taker and fair.weight > 0.0 else None
    return found + (_at(side, FeeRole.TAKER, [limit], fair, view, rules) if limit is not None else [])


def resting_on(
    side: BookSide, fair: Estimate, view: MarketView, rules: EntryRules, most: Quantity | None = None
) -> list[Assessment]:
    """The places in the book in which an order of ours, of ``most`` contracts if any, could wait."""
    return _at(side, FeeRole.MAKER, _resting_prices(side, view, rules), fair, view, rules, most)


def _at(
    side: BookSide,
    role: FeeRole,
    prices: Sequence[Price],
    fair: Estimate,
    view: MarketView,
    rules: EntryRules,
    most: Quantity | None = None,
) -> list[Assessment]:
    found = []
    for price in prices:
        if paid(side, price) > rules.price_max:
            continue
        quantity = max(depth_share(view, side, price, role, rules), rules.min_quantity)
        quantity = quantity if most is None else min(quantity, most)
        at = edge_at(fair, view, side, price, quantity, role, rules)
        if at is None:
            continue
        cost, edge = at
        found.append(
            Assessment(
                ticker=view.market.ticker,
                side=side,
                role=role,
                price=price,
                quantity=cost.filled,
                edge=edge,
                needed=needed_edge(fair, view, side, price, cost, rules),
                fill=expected_fill(view, side, price, cost.filled, role, rules),
            )
        )
    return found


def expected_fill(
    view: MarketView, side: BookSide, price: Price, quantity: Quantity, role: FeeRole, rules: EntryRules
) -> float:
    """``share_filled`` of an order that comes to ``price`` now, behind all that is there; takers wait not."""
    if role is FeeRole.TAKER:
        return 1.0
    return share_filled(view.book.depth_within(side, price), quantity, rules)


def share_filled(before: Quantity, quantity: Quantity, rules: EntryRules) -> float:
    """The share of an order expected to fill within an hour with so many contracts ``before`` it.

    What takers bring is exponential with a rate that is not known and taken for exponential itself: more than
    ``c`` contracts come with chance ``flow / (flow + c)``, and the share is the mean of it over the order's.
    """
    return rules.flow / quantity * math.log1p(quantity / (rules.flow + before))


def depth_share(view: MarketView, side: BookSide, price: Price, role: FeeRole, rules: EntryRules) -> Quantity:
    """Whole contracts of the displayed size we may use: what is taken, or for a resting order the touch
    it waits to be hit from."""
    return whole(Quantity(int(visible(view, side, price, role) * rules.depth_share)))


def visible(view: MarketView, side: BookSide, price: Price, role: FeeRole) -> Quantity:
    """The displayed size that ``depth_share`` is a share of."""
    touch = view.book.best_ask if side is BookSide.BID else view.book.best_bid
    limit = price if role is FeeRole.TAKER else touch
    return view.book.depth_within(side.opposite, limit) if limit is not None else Quantity(0)


def _resting_prices(side: BookSide, view: MarketView, rules: EntryRules) -> list[Price]:
    """The best price to join and, where the spread is wide, the one a tick ahead of it."""
    bid, ask, grid = view.book.best_bid, view.book.best_ask, view.market.grid
    if bid is None or ask is None:
        return []
    join = bid if side is BookSide.BID else ask
    first = grid.above(bid) if side is BookSide.BID else grid.below(ask)
    if first is None or not _wide(grid, bid, ask, rules.improve_spread_ticks):
        return [join]
    return [join, first]


def _wide(grid: TickGrid, bid: Price, ask: Price, ticks: int) -> bool:
    """Whether the spread is at least so many ticks; counts no further than that."""
    at: Price | None = bid
    for _ in range(ticks):
        at = grid.above(at) if at is not None else None
    return at is not None and at <= ask


def _taking_limit(side: BookSide, fair: Estimate, view: MarketView, rules: EntryRules) -> Price | None:
    """The deepest level worth taking by itself; the best one when none is."""
    limit: Price | None = None
    for price, size in view.book.walk(side.opposite):
        cost = cost_at(view.market.fees, side, price, size, FeeRole.TAKER)
        edge = _net(fair, view, side, cost, FeeRole.TAKER, rules)
        if limit is not None and edge < needed_edge(fair, view, side, price, cost, rules):
            break
        limit = price
    return limit


def too_good(fair: Estimate, view: MarketView, price: Price, edge: Price, rules: EntryRules) -> str:
    """Why an order at ``price`` is too good to be true: presumed a data fault until a person has looked.

    It is the model that has to agree with the book: the fair value is part market itself. A model that counts
    nothing is not asked: what is quoted around is the market's own word.
    """
    bid, ask = view.book.best_bid, view.book.best_ask
    said = fair.model_probability if fair.weight > 0.0 else fair.probability
    mid = (bid + ask) / 2 / ONE_DOLLAR if bid is not None and ask is not None else None
    apart = abs(said - mid) if mid is not None else 0.0
    if apart > rules.disagreement:
        return f"model and market are {apart * 100:.0f}c apart"
    if edge > rules.quarantine_edge:
        return f"edge {edge / 100:.1f}c is too good"
    away = abs(fair.probability - price / ONE_DOLLAR)
    if away * ONE_DOLLAR > rules.fair_collar:
        return f"price is {away * 100:.0f}c from fair value"
    return ""


def _blocked(best: Assessment, view: MarketView, rules: EntryRules, now_ms: int) -> str:
    """Why an entry on this side may not be proposed now, whatever its edge."""
    held_yes = view.position.net > 0 or view.opening_bid > 0
    held_no = view.position.net < 0 or view.opening_ask > 0
    if held_no if best.side is BookSide.BID else held_yes:
        return "the other side is held or working"
    if view.opening_bid or view.opening_ask:
        return "an entry is working"
    left_s = (view.market.close_ms - now_ms) // 1000
    if left_s < rules.entries_end_s:
        return f"closes in {max(0, left_s) // 60} min"
    if view.market.status is not MarketStatus.ACTIVE:
        return f"market is {view.market.status.value}"
    return ""
