"""Books over REST, one or many. They carry no clock, so they never bridge a gap of the stream's books:
they are for looking, and for pricing an exit while there is no stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.book import Book, new_book
from core.domain.market import TickGrid
from core.domain.order import BookSide
from core.domain.units import Price, Quantity, complement
from core.venues.kalshi import endpoints as ep
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Name, Odd, WireError, price, quantity

BOOKS_MAX: Final = 100
"""Books of one call."""
LEVELS_MAX: Final = 10_000


class Level(msgspec.Struct, frozen=True):
    price: Price
    size: Quantity


class RestBook(msgspec.Struct, frozen=True):
    """A book in YES prices, best levels first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class SidesWire(msgspec.Struct, frozen=True):
    yes_dollars: list[tuple[str, str]] | None = None
    no_dollars: list[tuple[str, str]] | None = None


class BookWire(msgspec.Struct, frozen=True):
    orderbook_fp: SidesWire


class TickerBookWire(msgspec.Struct, frozen=True):
    ticker: Name
    orderbook_fp: SidesWire


class BooksWire(msgspec.Struct, frozen=True):
    orderbooks: list[TickerBookWire]


_book = msgspec.json.Decoder(BookWire)
_books = msgspec.json.Decoder(BooksWire)


def _levels(rows: Sequence[tuple[str, str]] | None, *, no: bool) -> tuple[Level, ...]:
    """One side's bids, best first. The venue promises no order."""
    if rows is not None and len(rows) > LEVELS_MAX:
        raise WireError(f"orderbook: {len(rows)} levels")
    found = [Level(price(at, "price"), quantity(size, "size")) for at, size in rows or ()]
    found.sort(key=lambda level: -level.price)
    if not no:
        return tuple(found)
    return tuple(Level(complement(level.price), level.size) for level in found)


def rest_book(wire: SidesWire) -> RestBook:
    """A NO bid is the YES ask at what is left of a dollar. Raises ``WireError``, also for a crossed book."""
    book = RestBook(_levels(wire.yes_dollars, no=False), _levels(wire.no_dollars, no=True))
    if book.bids and book.asks and book.bids[0].price >= book.asks[0].price:
        raise WireError("orderbook: bid not below ask")
    return book


def _of_book(wire: BookWire, odd: Odd) -> RestBook:
    return rest_book(wire.orderbook_fp)


def _of_books(wire: BooksWire, odd: Odd) -> dict[str, RestBook]:
    return {row.ticker: rest_book(row.orderbook_fp) for row in wire.orderbooks}


async def read_book(
    reader: Reader, ticker: str, levels: int = 0, priority: Priority = Priority.BACKGROUND
) -> RestBook | Incomplete:
    """One market's book, ``levels`` of each side (0: all)."""
    return await reader.one(
        ep.BOOK,
        f"book of {ticker}",
        priority,
        _book,
        _of_book,
        path=ep.BOOK.at(ticker=ticker),
        query={"depth": levels},
    )


async def read_books(
    reader: Reader, tickers: Sequence[str], priority: Priority = Priority.BACKGROUND
) -> Mapping[str, RestBook] | Incomplete:
    """Books by market, all levels; all asked for or ``Incomplete``."""
    found: dict[str, RestBook] = {}
    for start in range(0, len(tickers), BOOKS_MAX):
        part = await reader.one(
            ep.BOOKS,
            "books",
            priority,
            _books,
            _of_books,
            query={"tickers": tuple(tickers[start : start + BOOKS_MAX])},
        )
        if isinstance(part, Incomplete):
            return part
        found |= part
    missing = [ticker for ticker in tickers if ticker not in found]
    return Incomplete("books", f"{missing[0]} is missing") if missing else found


async def read_on_grid(reader: Reader, ticker: str, grid: TickGrid) -> Book | Incomplete:
    """One market's book as the engine's own type, ahead of everything but cancels: to price an exit by."""
    found = await read_book(reader, ticker, priority=Priority.FLATTEN)
    if isinstance(found, Incomplete):
        return found
    book = new_book(grid)
    for side, levels in ((BookSide.BID, found.bids), (BookSide.ASK, found.asks)):
        for level in levels:
            if not book.set(side, level.price, level.size):
                return Incomplete(f"book of {ticker}", "a level is off the market's grid")
    return book
