"""One REST call as its handler sees it: who calls, with which parameters, and pages of lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from core.domain.clock import Clock
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.errors import INVALID_PAYLOAD, bad, no_book, not_found
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.faults import Faults
from core.sim.polymarket.indexer import Indexer
from core.sim.polymarket.keys import ApiKey, KeyRegistry
from core.sim.polymarket.limits import Edge, Signers
from core.sim.polymarket.notices import Notices
from core.sim.requests import Query, UnreadableError, decoded

T = TypeVar("T")

FIRST_PAGE, LAST_PAGE = "MA==", "LTE="
"""The CLOB's cursors before the first page and after the last one."""
CLOB_PAGE = 100


class Geography(msgspec.Struct):
    """What the geoblock answers; ``blocked`` callers are refused orders too."""

    blocked: bool = False
    country: str = "IE"
    region: str = "L"
    ip: str = "127.0.0.1"


class Venue:
    """What every handler works on, and what is kept of the exchange for reads alone."""

    def __init__(self, exchange: Exchange, keys: KeyRegistry, clock: Clock) -> None:
        self.exchange, self.keys, self.clock = exchange, keys, clock
        self.faults = Faults(clock)
        self.faults.connect(self)
        self.edge, self.signers = Edge(clock), Signers(clock)
        self.indexer, self.notices = Indexer(exchange), Notices(exchange)
        self.geography = Geography()
        self.stale_books: dict[str, bytes] = {}
        """What ``/book`` goes on saying while its answers are stale."""


class Answer(msgspec.Struct, frozen=True):
    """Status and JSON body of a success; ``text`` in place of JSON."""

    body: Any = None
    status: int = 200
    text: str | None = None
    headers: Mapping[str, str] = {}


class Call(msgspec.Struct, frozen=True):
    """``key`` is None on public endpoints; ``held`` where the order waited inside its request."""

    venue: Venue
    key: ApiKey | None
    path: Mapping[str, str]
    query: Query
    body: bytes
    headers: Mapping[str, str] = {}
    held: bool = False

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def member(self) -> ApiKey:
        assert self.key is not None
        return self.key

    def text(self, name: str, default: str = "") -> str:
        return self.query.get(name) or default

    def number(self, name: str, default: int, *, most: int | None = None) -> int:
        text = self.query.get(name)
        if text is None or text == "":
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 16):
            raise bad(f"invalid {name}")
        return int(text) if most is None else min(int(text), most)

    def token(self) -> tuple[Market, str]:
        """The market and token that ``token_id`` names."""
        return self.market_of(self.text("token_id"))

    def market_of(self, token_id: str) -> tuple[Market, str]:
        if not (token_id.isascii() and token_id.isdigit() and len(token_id) <= 78):
            raise bad("Invalid token id")
        market = self.exchange.tokens.get(token_id)
        if market is None:
            raise no_book()
        return market, token_id

    def condition(self) -> Market:
        """The market whose condition id the path names."""
        market = self.exchange.markets.get(self.path["condition_id"].lower())
        if market is None:
            raise not_found("market not found")
        return market

    def read(self, kind: type[T], text: str = INVALID_PAYLOAD) -> T:
        """The body as a typed value, or ``WireError`` 400 with ``text``."""
        try:
            return decoded(self.body, kind)
        except UnreadableError as wrong:
            raise bad(text) from wrong

    def page(self, rows: list[T]) -> tuple[list[T], dict[str, Any]]:
        """A page of the CLOB's lists and what surrounds it."""
        start = _opened(self.text("next_cursor", FIRST_PAGE))
        shown = rows[start : start + CLOB_PAGE]
        more = start + CLOB_PAGE < len(rows)
        cursor = _sealed(start + CLOB_PAGE) if more else LAST_PAGE
        return shown, {"next_cursor": cursor, "limit": CLOB_PAGE, "count": len(shown)}


def _sealed(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def _opened(cursor: str) -> int:
    if cursor == LAST_PAGE:
        raise bad("invalid next_cursor")
    try:
        offset = int(base64.b64decode(cursor, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise bad("invalid next_cursor") from wrong
    if offset < 0:
        raise bad("invalid next_cursor")
    return offset
