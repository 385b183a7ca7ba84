"""One market from near: its levels, what traded there, and how prices, fair value and results have moved.

Too much for every frame, so asked for by query while somebody looks.
"""

from __future__ import annotations

import msgspec

from core.control.tables.markets import MarketRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow, PositionRow


class LevelRow(msgspec.Struct, frozen=True, array_like=True):
    price: int
    """Of YES."""
    quantity: int


class TradeRow(msgspec.Struct, frozen=True, array_like=True):
    """A public trade, in YES terms."""

    at_world_ms: int
    price: int
    quantity: int
    buys: bool
    """Whether whoever came last bought YES or sold NO."""


class QuarantineRow(msgspec.Struct, frozen=True, array_like=True):
    """An order the strategy would want there, were it not too good to be true."""

    reason: str
    outcome: str
    price: int
    """In terms of the outcome."""
    style: str
    edge: int
    evidence: tuple[str, ...]
    """What the fair value rests on, as on a card."""


class DetailRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    bids: tuple[LevelRow, ...]
    """Best first, as are the asks."""
    asks: tuple[LevelRow, ...]
    message_ms: int
    intact: bool
    trades: tuple[TradeRow, ...]
    """Newest first."""
    settles: str
    """Whose word settles it, in words."""
    rules: str
    """The beginning of the venue's text."""
    listed: MarketRow
    stage: str
    """Of the funnel, the last it has reached."""
    why: str
    """What keeps it there."""
    model: EventRow | None
    orders: tuple[OrderRow, ...]
    """Those that work, ours and what others placed."""
    position: PositionRow | None
    quarantine: QuarantineRow | None = None
    closes: str = ""
    """When, by the clock that both venues' rules go by."""


class PointRow(msgspec.Struct, frozen=True, array_like=True):
    """What held from then on, until the next point."""

    at_world_ms: int
    bid: int | None
    ask: int | None
    fair: int | None
    sigma: int | None


class OwnFillRow(msgspec.Struct, frozen=True, array_like=True):
    """A fill of ours, in YES terms."""

    at_world_ms: int
    price: int
    quantity: int
    buys: bool
    """Whether we bought YES or sold NO."""


class HistoryRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    points: tuple[PointRow, ...]
    """Oldest first; the last one is now."""
    fills: tuple[OwnFillRow, ...]
    """The newest, oldest of them first."""


class ResultRow(msgspec.Struct, frozen=True, array_like=True):
    at_world_ms: int
    made: int


class EquityRow(msgspec.Struct, frozen=True, array_like=True):
    """The desk's result of one world day."""

    day: str
    points: tuple[ResultRow, ...]
    """Oldest first; the last one is now."""
