"""The best entry one market offers now, with its net edge or the word that stands in its place."""

from __future__ import annotations

import msgspec

from core.domain.fees import UnknownFeeError
from core.domain.market import MarketStatus, TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity
from core.models.fair_value import FairValue
from core.strategy.edge import Cost, cost_at, net_edge, paid, taker_cost
from core.strategy.proposal import FeeRole
from core.strategy.rules import EntryRules, MarketView
from core.strategy.sizing import whole

STALE = "stale"
QUARANTINED = "quar"
UNCONFIRMED = "conf"
"""Beside the edge of a market that waits for the operator's word on what it settles on."""
NOTHING = "--"


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
    blocked: bool = False

    @property
    def tradable(self) -> bool:
        return not self.word and not self.blocked and self.edge >= self.needed


def assess(fair: FairValue, view: MarketView, rules: EntryRules, now_ms: int) -> Assessment:
    """The best of buying YES and buying NO in ``view``'s market; ``now_ms`` is world time."""
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
    best = max(found, key=lambda a: (a.edge - a.needed, a.role is FeeRole.MAKER))
    doubt = too_good(fair, best.price, best.edge, (bid + ask) / 2, rules)
    if doubt:
        return msgspec.structs.replace(best, word=QUARANTINED, reason=doubt)
    blocked = _blocked(best, view, rules, now_ms)
    return msgspec.structs.replace(best, blocked=bool(blocked), reason=blocked)


def needed_edge(
    fair: FairValue, view: MarketView, side: BookSide, price: Price, cost: Cost, rules: EntryRules
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
            int(rules.edge_sigmas * fair.sigma * ONE_DOLLAR),
            int(rules.min_return * cost.average),
            tick + 1,
        )
    )


def edge_at(
    fair: FairValue,
    view: MarketView,
    side: BookSide,
    price: Price,
    quantity: Quantity,
    role: FeeRole,
    sells: bool = False,
) -> tuple[Cost, Price] | None:
    """Cost and net edge of opening ``quantity`` at ``price`` as maker, or as taker up to it; ``sells``
    where the plan is to sell before settlement."""
    fees = view.market.fees
    cost = (
        cost_at(fees, side, price, quantity, role)
        if role is FeeRole.MAKER
        else taker_cost(fees, view.book, side, quantity, price)
    )
    if cost is None:
        return None
    return cost, net_edge(fair.probability, side, cost, fees if sells else None)


def _entries_on(side: BookSide, fair: FairValue, view: MarketView, rules: EntryRules) -> list[Assessment]:
    """Maker and taker entry on one side, as far as the rules allow them."""
    prices = [
        (FeeRole.MAKER, _resting_price(side, fair, view, rules) if rules.maker else None),
        (FeeRole.TAKER, _taking_limit(side, fair, view, rules) if rules.taker else None),
    ]
    found = []
    for role, price in prices:
        if price is None or paid(side, price) > rules.price_max:
            continue
        quantity = max(depth_share(view, side, price, role, rules), rules.min_quantity)
        at = edge_at(fair, view, side, price, quantity, role, rules.sell_before_settlement)
        if at is None:
            continue
        cost, edge = at
        needed = needed_edge(fair, view, side, price, cost, rules)
        found.append(
            Assessment(
                ticker=view.market.ticker,
                side=side,
                role=role,
                price=price,
                quantity=cost.filled,
                edge=edge,
                needed=needed,
            )
        )
    return found


def depth_share(view: MarketView, side: BookSide, price: Price, role: FeeRole, rules: EntryRules) -> Quantity:
    """Whole contracts of the displayed size we may use: what is taken, or for a resting order the touch
    it waits to be hit from."""
    return whole(Quantity(int(visible(view, side, price, role) * rules.depth_share)))


def visible(view: MarketView, side: BookSide, price: Price, role: FeeRole) -> Quantity:
    """The displayed size that ``depth_share`` is a share of."""
    touch = view.book.best_ask if side is BookSide.BID else view.book.best_bid
    limit = price if role is FeeRole.TAKER else touch
    return view.book.depth_within(side.opposite, limit) if limit is not None else Quantity(0)


def _resting_price(side: BookSide, fair: FairValue, view: MarketView, rules: EntryRules) -> Price | None:
    """Join the best, or go one tick ahead where the spread is wide and the edge still suffices."""
    bid, ask, grid = view.book.best_bid, view.book.best_ask, view.market.grid
    if bid is None or ask is None:
        return None
    join = bid if side is BookSide.BID else ask
    ahead = grid.above(bid) if side is BookSide.BID else grid.below(ask)
    if ahead is None or not _wide(grid, bid, ask, rules.improve_spread_ticks):
        return join
    return ahead if _pays(fair, view, side, ahead, rules.min_quantity, FeeRole.MAKER, rules) else join


def _wide(grid: TickGrid, bid: Price, ask: Price, ticks: int) -> bool:
    """Whether the spread is at least so many ticks; counts no further than that."""
    at: Price | None = bid
    for _ in range(ticks):
        at = grid.above(at) if at is not None else None
    return at is not None and at <= ask


def _taking_limit(side: BookSide, fair: FairValue, view: MarketView, rules: EntryRules) -> Price | None:
    """The deepest level worth taking by itself; the best one when none is."""
    limit: Price | None = None
    for price, size in view.book.walk(side.opposite):
        if limit is not None and not _pays(fair, view, side, price, size, FeeRole.TAKER, rules):
            break
        limit = price
    return limit


def _pays(
    fair: FairValue,
    view: MarketView,
    side: BookSide,
    price: Price,
    quantity: Quantity,
    role: FeeRole,
    rules: EntryRules,
) -> bool:
    fees = view.market.fees
    cost = cost_at(fees, side, price, quantity, role)
    edge = net_edge(fair.probability, side, cost, fees if rules.sell_before_settlement else None)
    return edge >= needed_edge(fair, view, side, price, cost, rules)


def too_good(fair: FairValue, price: Price, edge: Price, mid: float | None, rules: EntryRules) -> str:
    """Why an order at ``price`` is too good to be true: presumed a data fault until a person has looked.

    ``mid`` is the book's, in ten-thousandths of a dollar; ``None`` where the book has one side only. It is
    the model that has to agree with it: the fair value is part market itself.
    """
    apart = abs(fair.model_probability - mid / ONE_DOLLAR) if mid is not None else 0.0
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
