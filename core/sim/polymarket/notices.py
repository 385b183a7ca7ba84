"""What a key's owner finds under ``/notifications``. Polymarket docs: notifications."""

from __future__ import annotations

from enum import IntEnum
from itertools import count

import msgspec

from core.sim.polymarket.events import Event, OrderChanged, OrderEvent, TradeChanged
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.orders import Stage, Trade

NOTICES_MAX = 1_000
"""Kept for each key; the oldest go first."""


class Kind(IntEnum):
    """Those that come about here; resolutions and redemptions are told of nobody."""

    CANCEL = 1
    FILL = 2
    FILL_FAILED = 8


class Notice(msgspec.Struct, frozen=True):
    id: int
    owner: str
    timestamp: int
    type: int
    payload: dict[str, str]


class Notices:
    """Kept by listening to one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._numbers = count(1)
        self._of: dict[str, list[Notice]] = {}
        exchange.listeners.append(self._hear)

    def of(self, owner: str) -> list[Notice]:
        return list(self._of.get(owner, ()))

    def drop(self, owner: str, ids: set[int]) -> None:
        """Forget some of a key's notices, or all where none is named."""
        self._of[owner] = [n for n in self._of.get(owner, ()) if ids and n.id not in ids]

    def _hear(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order, kind=OrderEvent.CANCELLATION):
                self._tell(order.owner, Kind.CANCEL, order.order_id)
            case TradeChanged(trade=trade) if trade.stage is Stage.MATCHED:
                self._tell_parties(trade, Kind.FILL)
            case TradeChanged(trade=trade) if trade.stage is Stage.FAILED:
                self._tell_parties(trade, Kind.FILL_FAILED)

    def _tell_parties(self, trade: Trade, kind: Kind) -> None:
        for order in (trade.taker, *(fill.order for fill in trade.makers)):
            self._tell(order.owner, kind, order.order_id)

    def _tell(self, owner: str, kind: Kind, order_id: str) -> None:
        now_s = self._exchange.clock.wall_ms() // 1000
        notices = self._of.setdefault(owner, [])
        notices.append(Notice(next(self._numbers), owner, now_s, kind, {"order_id": order_id}))
        del notices[:-NOTICES_MAX]
