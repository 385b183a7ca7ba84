"""The stream's channels, and one subscription to one of them: its number, its sequence, what is awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.venues.kalshi.books import SECOND_NS
from core.venues.kalshi.publications import FAST, FAST_INDICES, PUBLISHED, PYTH, UNDERLYINGS

REPLY_NS_MAX: Final = 5 * SECOND_NS

BOOKS: Final = "orderbook_delta"
PRIVATE: Final = ("fill", "user_orders")
POSITIONS: Final = "market_positions"
LIFECYCLE: Final = "market_lifecycle_v2"
GROUPS: Final = "order_group_updates"
TICKERS: Final = "ticker"
TRADES: Final = "trade"
NEEDED: Final = frozenset({BOOKS, *PRIVATE})
"""Without these no order is sent; a venue that refuses another one is used without it."""


class Wanted(msgspec.Struct, frozen=True):
    """A channel to subscribe to. Nothing named: everything there is."""

    channel: str
    market_tickers: tuple[str, ...] | None = None
    index_ids: tuple[str, ...] | None = None
    underlying_tickers: tuple[str, ...] | None = None


DESK: Final = tuple(Wanted(name) for name in (BOOKS, *PRIVATE, LIFECYCLE, POSITIONS, GROUPS, TRADES))
"""What the engine listens to."""


def published(names: Mapping[str, Sequence[str]]) -> tuple[Wanted, ...]:
    """The channels of what is wanted of the venue's publications, by their names in the configuration."""
    found = []
    for channel, source in PUBLISHED.items():
        if wanted := tuple(names.get(source, ())):
            found.append(_narrowed(channel, wanted))
    return tuple(one for one in found if one.index_ids or one.underlying_tickers)


def _narrowed(channel: str, names: tuple[str, ...]) -> Wanted:
    """A publication's channel by the venue's own names; of indices the fast one has only some."""
    if channel == PYTH:
        return Wanted(channel, underlying_tickers=tuple(UNDERLYINGS.get(name, name) for name in names))
    if channel == FAST:
        names = tuple(name for name in names if name in FAST_INDICES)
    return Wanted(channel, index_ids=names)


class Channel:
    """One subscription. ``sid`` is ``None`` until the venue confirmed it."""

    __slots__ = ("answered", "deadline_ns", "leaving", "resyncing", "seq", "sid")

    def __init__(self, deadline_ns: int | None = None) -> None:
        self.sid: int | None = None
        self.seq: int | None = None
        self.deadline_ns = deadline_ns
        """When an expected answer counts as missing."""
        self.resyncing = False
        """All its books were asked for anew; ``answered`` once the first of them came."""
        self.answered = False
        self.leaving = False

    def resync(self, now_ns: int) -> None:
        self.resyncing, self.answered, self.deadline_ns = True, False, now_ns + REPLY_NS_MAX

    def settled(self) -> None:
        self.resyncing, self.deadline_ns = False, None
