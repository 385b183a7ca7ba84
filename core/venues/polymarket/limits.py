"""The venue's rate limits as buckets (Polymarket reference, section 6).

The edge counts calls from one address in a sliding window of ten seconds. A token bucket that holds half of
such a limit and refills the other half over the window can never exceed it. A bucket is as large as the
tightest of its calls needs; the others of the kind cost less than one token. The venue queues before it
refuses, so the limiter's own pace (70 %) is what keeps answers quick.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.venues.limiter import Capacity, Kind

WINDOW_S: Final = 10.0


def _edge(calls: float) -> Capacity:
    """``calls`` in any ten seconds."""
    return Capacity(calls / 2 / WINDOW_S, calls / 2)


class Tier(msgspec.Struct, frozen=True):
    """What a signer may send by its volume of the last 30 days."""

    orders: Capacity
    cancels: Capacity


TIERS: Final = {
    "standard": Tier(Capacity(40, 60), Capacity(80, 120)),
    "copper": Tier(Capacity(60, 90), Capacity(120, 180)),
    "bronze": Tier(Capacity(80, 120), Capacity(160, 240)),
    "silver": Tier(Capacity(200, 300), Capacity(400, 600)),
    "gold": Tier(Capacity(400, 600), Capacity(800, 1_200)),
    "platinum": Tier(Capacity(450, 675), Capacity(900, 1_350)),
    "diamond": Tier(Capacity(525, 787), Capacity(1_050, 1_575)),
    "elite": Tier(Capacity(600, 900), Capacity(1_200, 1_800)),
}
"""By the word of the ``Poly-RateLimit-Tier`` header in lower case."""

LOWEST: Final = "standard"

CAPACITIES: Final = {
    Kind.WRITE: TIERS[LOWEST].orders,
    Kind.CANCEL: TIERS[LOWEST].cancels,
    Kind.READ: _edge(500),
    Kind.BALANCE: _edge(200),
    Kind.BOOKS: _edge(500),
    Kind.LISTS: _edge(300),
    Kind.HISTORY: _edge(200),
}
"""Until the venue has named the account's tier: the lowest."""


def share(of: float, calls: float) -> float:
    """The cost of a call limited to ``calls`` a window in a bucket made for ``of``."""
    return of / calls
