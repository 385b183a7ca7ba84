"""Where live data ends and the archive begins. Kalshi API: historical data.

What is older than its cutoff is served by the historical calls alone. Resting orders and unsettled
positions are always live, events and series never move.
"""

from __future__ import annotations

import msgspec


class Archive(msgspec.Struct):
    """The cutoffs, Unix milliseconds: of markets in world time, of everything else in real time."""

    market_settled_ms: int = 0
    trades_created_ms: int = 0
    orders_updated_ms: int = 0
    positions_updated_ms: int = 0
