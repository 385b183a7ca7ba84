"""An exchange's best bid and ask, judged before they are told: what all crypto exchanges have in common."""

from __future__ import annotations

import math
import re

from core.feeds.feed import Stamp
from core.feeds.quotes import Quote
from core.venues.wire import WireError, rfc3339_ms

SPREAD_MAX = 0.05
"""Of the mid: a wider book is nobody's price."""
LEAP_MAX = 0.10
LEAP_MS = 60_000
"""Within a minute of the value before no more than a tenth: later anything may be true. So it may where the
value before was dated ahead: whoever is told the quotes refuses that one, and none after it may suffer."""
_DECIMAL = re.compile(r"\d{1,15}(?:\.\d{1,18})?", re.ASCII)


class Touch:
    """The judge of one way in which an exchange tells; of a connection ``forget`` with the next."""

    def __init__(self, source: str, stale_after_s: int) -> None:
        self._source, self._stale_after_s = source, stale_after_s
        self._held: dict[str, Quote] = {}

    def forget(self) -> None:
        """What was before an interruption proves nothing against what comes after it."""
        self._held.clear()

    def quote(self, name: str, bid: float, ask: float, stamp: Stamp) -> Quote | str:
        """The quote, or what is wrong with it in a sentence."""
        if not (math.isfinite(bid) and math.isfinite(ask) and bid > 0 and ask > 0):
            return f"{name} refused: bid or ask is no price"
        mid = (bid + ask) / 2
        if bid > ask or not math.isfinite(mid):
            return f"{name} refused: bid {bid:g} is above ask {ask:g}"
        if ask - bid > SPREAD_MAX * mid:
            return f"{name} refused: bid {bid:g} and ask {ask:g} are {(ask - bid) / mid:.0%} apart"
        held = self._held.get(name)
        if held is not None and _leaps(held, mid, stamp.event_ms):
            return (
                f"{name} refused: {mid:g} is {mid / held.value - 1:+.0%} from {held.value:g} within a minute"
            )
        quote = Quote(name, self._source, mid, bid, ask, stamp, self._stale_after_s)
        self._held[name] = quote
        return quote


def _leaps(held: Quote, mid: float, event_ms: int) -> bool:
    near = abs(event_ms - held.stamp.event_ms) < LEAP_MS
    return near and not 1 - LEAP_MAX <= mid / held.value <= 1 / (1 - LEAP_MAX)


def decimal(text: str) -> float | None:
    """A positive decimal number as exchanges write it; None for anything else."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def instant_ms(text: str) -> int | None:
    """A time with its zone, to Unix milliseconds; None for anything else."""
    try:
        return rfc3339_ms(text, "time")
    except WireError:
        return None
