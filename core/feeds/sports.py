"""Games and what bookmakers offer on them."""

from __future__ import annotations

import msgspec

from core.feeds.feed import Stamp


class Offer(msgspec.Struct, frozen=True):
    """One outcome's decimal price at one bookmaker; ``point`` is a spread's or a total's line."""

    outcome: str
    decimal: float
    point: float | None = None


class BookOdds(msgspec.Struct, frozen=True):
    """One bookmaker's offers in one market of a game (``h2h``, ``spreads``, ``totals``)."""

    book: str
    market: str
    offers: tuple[Offer, ...]
    looked_ms: int
    """When the provider last looked (world time). It moves though nothing has moved."""
    moved_ms: int
    """When a price last changed as far as this desk has seen: the only thing that makes odds fresh."""


class Game(msgspec.Struct, frozen=True):
    """``stamp.event_ms`` is the newest ``moved_ms`` of its books, and what ``stale_after_s`` goes by."""

    id: str
    source: str
    sport: str
    home: str
    away: str
    starts_ms: int
    books: tuple[BookOdds, ...]
    stamp: Stamp
    stale_after_s: int
    near: bool = True
    """Whether its start is so near that its prices are followed; else their age says nothing."""
