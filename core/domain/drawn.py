"""What a screen showed of a card when a person decided on it, for the record of the decision."""

from __future__ import annotations

import msgspec


class Drawn(msgspec.Struct, frozen=True, array_like=True):
    """Prices as on the card: ten-thousandths of a dollar in terms of its outcome. Times are the machine's
    monotonic clock."""

    bid: int | None
    ask: int | None
    fair: int | None
    """``None`` where no model said anything."""
    edge: int
    since_ns: int
    """Since when the card stood there selected and unchanged."""
    key_ns: int
    """When the key arrived."""
