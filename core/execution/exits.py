"""The single exit of the stop ladder: how far under the bid, how much at once, and why not."""

from __future__ import annotations

import msgspec

from core.domain.book import Book
from core.domain.fees import SMALLEST_FILL, UnknownFeeError, estimate
from core.domain.market import Market, MarketStatus
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import ONE_CONTRACT, Money, Price, Quantity, complement
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.venues.venue import BookView

PROTECTION = (Price(300), Price(500), Price(700), Price(1_000))
"""Distance under the bid, widened after each few slices that found nobody."""
EMPTY_SLICES = 3
SLICE_VALUE_MAX = Money(100_000_000)
DEPTH_DIVISOR = 2
"""A slice takes at most half of what is bid within the protection."""

DUST = "less than the smallest order is held: not sellable until resolution"

BLIND_READS = 3
"""So many readings of a book in a row must fail before an exit goes by the last trade."""
BLIND_DIVISOR = 4

SETTLING = frozenset(
    {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED}
)
"""Nothing can be sold any more: the position waits for its payout."""


class NoExit(msgspec.Struct, frozen=True):
    """Why nothing can be sold now. ``final``: it will not change by waiting."""

    reason: str
    final: bool = False
    no_bid: bool = False
    """Nobody is there to sell to: the operator may rest an exit at a price of their own."""


def next_slice(
    market: Market,
    view: BookView | None,
    net: Quantity,
    free: Quantity,
    empty: int,
    *,
    urgent: bool = False,
) -> Candidate | NoExit:
    """The next exit of a position of ``net``, of which ``free`` may be sold, after ``empty`` vain slices."""
    closed = _closed(market)
    if closed is not None:
        return closed
    if view is None or not view.intact:
        return NoExit("no sound book")
    side = BookSide.ASK if net > 0 else BookSide.BID
    step = len(PROTECTION) - 1 if urgent else min(empty // EMPTY_SLICES, len(PROTECTION) - 1)
    found = _limit(view.book, market, side, PROTECTION[step])
    if found is None:
        return NoExit("NO_BID: nobody bids", no_bid=True)
    price, depth = found
    wanted = min(max(depth // DEPTH_DIVISOR, ONE_CONTRACT), _worth_at_most(price, net))
    quantity = _sized(market, free, wanted)
    if quantity <= 0:
        return NoExit(DUST, final=True)
    return _candidate(market, side, price, quantity)


def blind_slice(market: Market, last: Price, net: Quantity, free: Quantity) -> Candidate | NoExit:
    """The next exit while no book can be read: a quarter of a slice, far under what was paid last."""
    closed = _closed(market)
    if closed is not None:
        return closed
    side = BookSide.ASK if net > 0 else BookSide.BID
    price = _protected(market, side, last, PROTECTION[-1])
    if price is None:
        return NoExit("the grid has no price that far from the last trade")
    whole = min(free, _worth_at_most(price, net))
    quantity = _sized(market, free, max(whole // BLIND_DIVISOR, ONE_CONTRACT))
    if quantity <= 0:
        return NoExit(DUST, final=True)
    return _candidate(market, side, price, quantity)


def _sized(market: Market, free: Quantity, wanted: int) -> Quantity:
    """What of ``free`` a slice sells: no less than the venue takes, and leaving no less than that behind."""
    quantity = min(int(free), max(wanted, market.minimum))
    if 0 < free - quantity < market.minimum:
        quantity = int(free)
    quantity -= quantity % SMALLEST_FILL
    return Quantity(quantity if quantity >= market.minimum else 0)


def _closed(market: Market) -> NoExit | None:
    if market.status is MarketStatus.ACTIVE:
        return None
    return NoExit(f"market is {market.status.value}", final=market.status in SETTLING)


def _worth_at_most(price: Price, net: Quantity) -> int:
    """Contracts of the outcome held that ``SLICE_VALUE_MAX`` covers."""
    return int(SLICE_VALUE_MAX) * 10_000 // (price if net > 0 else complement(price))


def resting_exit(market: Market, net: Quantity, free: Quantity, price: Price) -> Candidate | NoExit:
    """An exit of all of ``free`` that waits at a price the operator typed, in terms of the outcome held."""
    if market.status is not MarketStatus.ACTIVE:
        return NoExit(f"market is {market.status.value}")
    side = BookSide.ASK if net > 0 else BookSide.BID
    at = price if net > 0 else complement(price)
    if not market.grid.valid(at):
        return NoExit("that price is not on the market's grid")
    quantity = Quantity(free - free % SMALLEST_FILL)
    if quantity <= 0:
        return NoExit("nothing is held there that is not being sold already")
    return _candidate(market, side, at, quantity, rests=True)


def _limit(book: Book, market: Market, side: BookSide, protection: Price) -> tuple[Price, Quantity] | None:
    """Limit on the grid and what is offered up to it; ``None`` when nobody is there."""
    touch = book.best_bid if side is BookSide.ASK else book.best_ask
    if touch is None or book.crossed:
        return None
    limit = _protected(market, side, touch, protection)
    return (limit, book.depth_within(side.opposite, limit)) if limit is not None else None


def _protected(market: Market, side: BookSide, base: Price, protection: Price) -> Price | None:
    """Selling YES reaches below ``base``, buying YES back reaches above it; on the grid."""
    away = Price(min(max(base + protection * side.sign, 1), 9_999))
    return market.grid.ceil(away) if side is BookSide.ASK else market.grid.floor(away)


def _candidate(
    market: Market, side: BookSide, price: Price, quantity: Quantity, *, rests: bool = False
) -> Candidate:
    try:
        fee = estimate(market.fees, price, quantity, is_taker=not rests)
    except UnknownFeeError:
        fee = Money(0)  # an exit is not held up by a fee nobody can compute
    return Candidate(
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        strategy="flatten",
        side=side,
        purpose=Purpose.CLOSE,
        price=price,
        quantity=quantity,
        # The venue takes reduce-only for immediate orders alone: what rests is bounded by our own count.
        tif=TimeInForce.GTC if rests else TimeInForce.IOC,
        post_only=rests,
        reduce_only=not rests,
        fee_role=FeeRole.MAKER if rests else FeeRole.TAKER,
        fee=fee,
        edge=Price(0),
        edge_half=Price(0),
        fair=0.0,
        sigma=0.0,
        model="",
        model_version="",
        sizing=Sizing(0.0, 0.0, "flatten"),
        why="flatten",
        against="",
    )
