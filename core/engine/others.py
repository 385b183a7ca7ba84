"""What others quote in a market: its book without the account's own orders.

A pool that counted our own quotes as the market's opinion would follow itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.book import Book
from core.domain.order import BookSide
from core.domain.units import Price
from core.engine.desk import Desk
from core.models.pooling import Quoted, unreadable
from core.venues.venue import verified_ns

Own = Mapping[tuple[BookSide, Price], int]
"""Contracts of ours by side and price."""


def others(desk: Desk, ticker: str) -> Quoted | str:
    """Best prices of a fresh book that says enough, or why there are none to go by, one clause."""
    market, view = desk.state.markets[ticker].market, desk.seats.book(ticker)
    if view is None:
        return f"{market.label}: no book yet"
    if not view.intact:
        return f"{market.label}: its book is out of sequence"
    age_ns = desk.clocks.mono_ns() - verified_ns(view, desk.seats[market.venue].venue.link)
    if age_ns > desk.state.limits.current.book_age_max_s * 1_000_000_000:
        return f"{market.label}: its book is stale"
    quoted = without(view.book, own(desk, ticker))
    why = unreadable(quoted)
    return f"{market.label}: {why}" if why else quoted


def own(desk: Desk, ticker: str) -> Own:
    """All that may rest of the account's: what is under way counts from when it was decided on, and what a
    person placed elsewhere is no stranger's either."""
    found: dict[tuple[BookSide, Price], int] = {}
    for order in desk.ledger.live_in(ticker):
        key = order.intent.side, order.intent.price
        found[key] = found.get(key, 0) + order.leaves
    for report in desk.ledger.externals_in(ticker):
        key = report.side, report.price
        found[key] = found.get(key, 0) + report.remaining
    return found


def without(book: Book, ours: Own) -> Quoted:
    """The best prices at which somebody else quotes."""
    if not ours:
        return Quoted(book.best_bid, book.best_ask)
    return Quoted(_best(book, BookSide.BID, ours), _best(book, BookSide.ASK, ours))


def _best(book: Book, side: BookSide, ours: Own) -> Price | None:
    return next((price for price, size in book.walk(side) if size > ours.get((side, price), 0)), None)
