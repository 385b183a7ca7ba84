"""What the CLOB tells everybody: books, a market's terms of trading, the engine's own word.

Requests for many tokens go out in chunks; an answer for a token nobody asked for is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from core.domain.market import FeeSchedule, FeeType
from core.domain.units import Price, Quantity
from core.venues.endpoint import Endpoint
from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket import tokens
from core.venues.polymarket.book_wire import BookWire
from core.venues.polymarket.gamma import curve, tick_size
from core.venues.polymarket.gamma_wire import flag, shares
from core.venues.polymarket.tokens import Version
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Odd

TOKENS_MAX: Final = 500
W = TypeVar("W")


class Trading(msgspec.Struct, frozen=True):
    """``/clob-markets``: what an order needs, by the one who will check it."""

    condition_id: str
    tokens: tokens.Tokens
    version: Version
    tick: Price
    minimum: Quantity
    neg_risk: bool
    fees: FeeSchedule


class _Token(msgspec.Struct, frozen=True):
    t: str


class _Fees(msgspec.Struct, frozen=True):
    r: object = None
    e: object = None
    to: object = None


class _TradingWire(msgspec.Struct, frozen=True):
    c: str
    t: list[_Token]
    mts: object
    mos: object
    v: object = None
    nr: object = None
    fd: _Fees | None = None


class _VersionWire(msgspec.Struct, frozen=True):
    version: int


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    token_id: str
    side: str = ""


_book = msgspec.json.Decoder(BookWire)
_books = msgspec.json.Decoder(list[BookWire])
_fields = msgspec.json.Decoder(dict[str, object])
_trading = msgspec.json.Decoder(_TradingWire)
_version = msgspec.json.Decoder(_VersionWire)
_whole = msgspec.json.Decoder(int)


async def read_book(
    reader: Reader, token: str, priority: Priority = Priority.RECONCILE
) -> BookWire | Incomplete:
    what = f"book of token {token[:12]}"
    found = await reader.value(ep.BOOK, what, priority, _book, query={"token_id": token})
    if isinstance(found, Incomplete) or found.asset_id == token:
        return found
    return Incomplete(what, "the answer is another token's book")


async def read_books(reader: Reader, asked: Sequence[str]) -> tuple[BookWire, ...] | Incomplete:
    """The books of these tokens; one the venue has no book for is not among them."""
    found: list[BookWire] = []
    for start in range(0, len(asked), TOKENS_MAX):
        part = asked[start : start + TOKENS_MAX]
        books = await many(reader, ep.BOOKS, "books", _books, [Asked(token) for token in part])
        if isinstance(books, Incomplete):
            return books
        wanted = set(part)
        found.extend(book for book in books if book.asset_id in wanted)
    return tuple(found)


async def read_tick_size(reader: Reader, token: str) -> Price | Incomplete:
    return await reader.one(
        ep.TICK_SIZE,
        "tick size",
        Priority.RECONCILE,
        _fields,
        lambda row, odd: tick_size(row.get("minimum_tick_size"), "minimum_tick_size"),
        query={"token_id": token},
    )


async def read_neg_risk(reader: Reader, token: str) -> bool | Incomplete:
    return await reader.one(
        ep.NEG_RISK,
        "neg-risk flag",
        Priority.RECONCILE,
        _fields,
        lambda row, odd: flag(row.get("neg_risk"), "neg_risk"),
        query={"token_id": token},
    )


async def read_trading(reader: Reader, condition: str) -> Trading | Incomplete:
    path = ep.CLOB_MARKET.at(condition_id=condition)
    what = f"terms of {condition[:14]}"
    found = await reader.one(ep.CLOB_MARKET, what, Priority.RECONCILE, _trading, _of_trading, path=path)
    if isinstance(found, Incomplete) or found.condition_id == condition:
        return found
    return Incomplete(what, "the answer is about another market")


async def read_time_ms(reader: Reader) -> int | Incomplete:
    found = await reader.value(ep.TIME, "venue time", Priority.RECONCILE, _whole)
    return found if isinstance(found, Incomplete) else found * 1_000


async def read_version(reader: Reader) -> int | Incomplete:
    found = await reader.value(ep.VERSION, "engine version", Priority.RECONCILE, _version)
    return found if isinstance(found, Incomplete) else found.version


async def many(
    reader: Reader, endpoint: Endpoint, what: str, decoder: msgspec.json.Decoder[W], asked: Sequence[Asked]
) -> W | Incomplete:
    return await reader.one(
        endpoint,
        what,
        Priority.BACKGROUND,
        decoder,
        lambda value, odd: value,
        body=msgspec.json.encode(asked),
    )


def _of_trading(wire: _TradingWire, odd: Odd) -> Trading:
    version = tokens.version(wire.v if wire.v is not None else Version.V1.value)
    condition = tokens.condition_id(wire.c)
    pair = tokens.tokens(version, [token.t for token in wire.t], condition)
    fees = FeeSchedule(FeeType.TAKER_CURVE, 0)
    if wire.fd is not None:
        fees = curve(wire.fd.r, wire.fd.e, wire.fd.to, odd)
    return Trading(
        condition_id=condition,
        tokens=pair,
        version=version,
        tick=tick_size(wire.mts, "mts"),
        minimum=shares(wire.mos, "mos"),
        neg_risk=flag(wire.nr, "nr"),
        fees=fees,
    )
