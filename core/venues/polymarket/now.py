"""A known market's book and last price by REST, for whoever has no stream or doubts it."""

from __future__ import annotations

from core.domain.book import Book
from core.domain.units import Price
from core.venues.limiter import Priority
from core.venues.polymarket import clob
from core.venues.polymarket.books import book_of
from core.venues.polymarket.catalog import Catalog
from core.venues.polymarket.prices import read_last_price
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import WireError


async def read_book_now(reader: Reader, catalog: Catalog, ticker: str) -> Book | Incomplete:
    """In YES terms."""
    terms, what = catalog.terms.get(ticker), f"book of {ticker}"
    if terms is None:
        return Incomplete(what, "the market is not known")
    wire = await clob.read_book(reader, terms.tokens.yes, Priority.FLATTEN)
    if isinstance(wire, Incomplete):
        return wire
    try:
        return book_of(wire)
    except WireError as error:
        return Incomplete(what, str(error))


async def read_last_price_now(reader: Reader, catalog: Catalog, ticker: str) -> Price | Incomplete | None:
    """Of YES; ``None``: it never traded."""
    terms = catalog.terms.get(ticker)
    if terms is None:
        return Incomplete(f"last price of {ticker}", "the market is not known")
    return await read_last_price(reader, terms.tokens.yes)
