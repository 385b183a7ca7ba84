"""The way of a trade from its match to the moment nothing can undo it, on venues that settle later.

Stages are told several times, by several channels and in any order: they merge by rank, so that what
is known only grows. ``CONFIRMED`` and ``FAILED`` are ends; the first one heard stands.
"""

from __future__ import annotations

import enum


class TradeStage(enum.Enum):
    MATCHED = "MATCHED"
    """The venue has paired the orders; nothing has moved yet."""
    RETRYING = "RETRYING"
    """Settling it did not work and is tried again; also after ``MINED``."""
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    """It was undone: the fills it made never were."""


FINAL = frozenset({TradeStage.CONFIRMED, TradeStage.FAILED})

MERGE: dict[tuple[TradeStage, TradeStage], TradeStage] = {
    (TradeStage.MATCHED, TradeStage.RETRYING): TradeStage.RETRYING,
    (TradeStage.MATCHED, TradeStage.MINED): TradeStage.MINED,
    (TradeStage.RETRYING, TradeStage.MINED): TradeStage.MINED,
    (TradeStage.MINED, TradeStage.RETRYING): TradeStage.RETRYING,
    **{(stage, end): end for stage in TradeStage if stage not in FINAL for end in FINAL},
}
"""Every move from what is known by what is heard; whatever is not here changes nothing."""


def merged(known: TradeStage, heard: TradeStage) -> TradeStage:
    """What is known of a trade after one more word on it."""
    return MERGE.get((known, heard), known)


def trade_of(fill_id: str) -> str:
    """The trade a fill belongs to: ``Fill.trade_id`` is it, or it and the maker's order after a colon."""
    return fill_id.partition(":")[0]
