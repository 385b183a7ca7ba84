"""What trading a market of this venue needs beyond the domain's ``Market``: ids, exchange, grid."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.order import Outcome
from core.domain.units import Price, Quantity
from core.venues.polymarket.tokens import Tokens, Version

TICKS: Final = frozenset(map(Price, (1_000, 100, 50, 25, 10, 1)))
"""The grids the venue has amounts for: 0.1, 0.01, 0.005, 0.0025, 0.001 and 0.0001 dollars. A market's may
change while it trades."""
EARLY_S: Final = 60
"""The venue ends an order this long before the time it names."""


class Terms(msgspec.Struct, frozen=True):
    ticker: str
    condition_id: str
    """32 bytes of hex with ``0x``, as CLOB and Data API name the market."""
    version: Version
    tokens: Tokens
    neg_risk: bool
    tick: Price
    minimum: Quantity
    url: str = ""
    """The venue's own page of the event."""

    def token(self, outcome: Outcome) -> str:
        return self.tokens.yes if outcome is Outcome.YES else self.tokens.no
