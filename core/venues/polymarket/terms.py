"""What trading a market of this venue needs beyond the domain's ``Market``: ids, exchange, delays."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.order import Outcome
from core.domain.units import Price, Quantity
from core.venues.polymarket.tokens import Tokens, Version

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
    seconds_delay: int = 0
    """How long the venue holds a marketable order before it matches."""
    game_start_ms: int | None = None
    clears_book: bool = False
    """Whether resting orders vanish when the game starts."""
    url: str = ""
    """The venue's own page of the event."""

    def token(self, outcome: Outcome) -> str:
        return self.tokens.yes if outcome is Outcome.YES else self.tokens.no

    def outcome(self, token: str) -> Outcome | None:
        """``None`` for a token of another market."""
        if token == self.tokens.yes:
            return Outcome.YES
        return Outcome.NO if token == self.tokens.no else None
