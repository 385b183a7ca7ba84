"""A book as REST and the market channel write it, and the venue's checksum over it.

The checksum is the SHA-1 of compact JSON with a fixed order of keys; levels keep the order and the spelling
they came with. On the market channel two fields are missing and come from the market's own terms, so there
a match is proof and a mismatch is only a hint (Polymarket reference, section 5.4).
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from core.domain.units import ONE_DOLLAR, Price, Quantity, UnitError, parse_price, parse_quantity
from core.venues.wire import WireError

LEVELS_MAX: Final = 10_000
"""More than the finest grid has prices."""
PRICE_TEXTS_MAX: Final = 20_000


class LevelWire(msgspec.Struct, frozen=True, gc=False):
    price: str
    size: str


class BookWire(msgspec.Struct, frozen=True):
    """A frame's or an answer's book. Numbers are texts; ``timestamp`` is in milliseconds."""

    market: str
    asset_id: str
    timestamp: str
    hash: str = ""
    bids: list[LevelWire] = []
    asks: list[LevelWire] = []
    min_order_size: str | None = None
    tick_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None
    version: str | None = None


class _Hashed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The keys in the order the venue hashes them. Only ``version`` may be left out."""

    market: str
    asset_id: str
    timestamp: str
    hash: str
    bids: list[LevelWire]
    asks: list[LevelWire]
    min_order_size: str
    tick_size: str
    neg_risk: bool
    last_trade_price: str
    version: str | None = None


class Sums(msgspec.Struct, frozen=True):
    """What the checksum needs and the market channel leaves out."""

    minimum: str
    tick: str
    neg_risk: bool


def shortest(text: str) -> str:
    """A decimal without needless zeros: ``5``, ``0.01``."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def book_hash(book: BookWire, sums: Sums) -> str:
    """The checksum of a book with what it says itself, and ``sums`` for what it leaves out."""
    last = book.last_trade_price
    whole = _Hashed(
        market=book.market,
        asset_id=book.asset_id,
        timestamp=book.timestamp,
        hash="",
        bids=book.bids,
        asks=book.asks,
        min_order_size=book.min_order_size if book.min_order_size is not None else sums.minimum,
        tick_size=book.tick_size if book.tick_size is not None else sums.tick,
        neg_risk=book.neg_risk if book.neg_risk is not None else sums.neg_risk,
        last_trade_price=last if last is not None else "",
        version=book.version,
    )
    return hashlib.sha1(msgspec.json.encode(whole), usedforsecurity=False).hexdigest()


class Prices(dict[str, Price]):
    """Price texts to prices strictly between 0 and 1 dollar; cleared rather than grown beyond its bound."""

    def __missing__(self, text: str) -> Price:
        # Books of the first years leave the zero away: ``.48``.
        try:
            price = parse_price(f"0{text}" if text.startswith(".") else text)
        except UnitError as error:
            raise WireError(str(error)) from None
        if not 0 < price < ONE_DOLLAR:
            raise WireError(f"{text[:40]!r} is not between 0 and 1 dollar")
        if len(self) >= PRICE_TEXTS_MAX:
            self.clear()
        self[text] = price
        return price


def level_size(text: str) -> Quantity:
    """Raises ``WireError``."""
    try:
        size = parse_quantity(text)
    except UnitError as error:
        raise WireError(str(error)) from None
    if size < 0:
        raise WireError(f"{text[:40]!r} is negative")
    return size


def stamp_ms(text: str) -> int:
    """Raises ``WireError``."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    raise WireError(f"timestamp: {text[:40]!r} is not in milliseconds")


def levels(wire: list[LevelWire], prices: Prices) -> list[tuple[Price, Quantity]]:
    """In no promised order. A price that comes twice is refused: which size holds is not known.

    Raises ``WireError``.
    """
    if len(wire) > LEVELS_MAX:
        raise WireError(f"{len(wire)} levels")
    found = {prices[level.price]: level_size(level.size) for level in wire}
    if len(found) != len(wire):
        raise WireError("a price comes twice")
    return list(found.items())
