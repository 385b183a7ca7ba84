"""What a coin is worth in dollars: the median of two exchanges' USD books, where they agree.

A venue's crypto series settle on an index made of such books; their mid stands for it better than any
last trade. A tether book is another thing and not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import msgspec

from core.feeds import coinbase, kraken
from core.feeds.quotes import Quote

SOURCES = (coinbase.DECLARATION.name, kraken.DECLARATION.name)
APART_MAX = 0.003
"""Of the lower mid: farther apart one of them is wrong, and nobody knows which."""


class Reference(msgspec.Struct, frozen=True):
    """A fair value with what it rests on."""

    name: str
    value: float
    apart: float
    """How far the highest mid is above the lowest, as a part of it."""
    event_ms: int
    """The oldest of its quotes: the reference is as old as that."""
    stale_ms: int
    """World time at which the first of its quotes may not be used any more."""


def reference(name: str, quotes: Mapping[tuple[str, str], Quote], world_ms: int) -> Reference | str:
    """The reference of ``BTC/USD`` or its like from quotes by name and source, or why there is none."""
    fresh: list[Quote] = []
    for source in SOURCES:
        quote = quotes.get((name, source))
        if quote is None:
            return f"{name}: nothing is known from {source}"
        age_ms = world_ms - quote.stamp.event_ms
        if age_ms > quote.stale_after_s * 1000:
            return f"{name}: {source} is {age_ms // 1000} s old, over its {quote.stale_after_s} s"
        if quote.bid is None or quote.ask is None:
            return f"{name}: {source} tells no bid and ask"
        fresh.append(quote)
    mids = [quote.value for quote in fresh]
    apart = max(mids) / min(mids) - 1
    if apart > APART_MAX:
        said = " and ".join(f"{quote.source} {quote.value:g}" for quote in fresh)
        return f"{name}: {said} are {apart:.2%} apart, over {APART_MAX:.1%}"
    return Reference(
        name, median(mids), apart,
        min(quote.stamp.event_ms for quote in fresh),
        min(quote.stamp.event_ms + quote.stale_after_s * 1000 for quote in fresh),
    )  # fmt: skip
