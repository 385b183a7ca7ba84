"""The strongest reason not to do it, one short sentence for the operator."""

from __future__ import annotations

from core.domain.order import BookSide
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR
from core.models.fair_value import FairValue
from core.strategy.assess import Assessment
from core.strategy.rules import EntryRules, MarketView

# What each reason is measured against; the one furthest along its scale is the one worth saying.
SPREAD_TICKS_WIDE = 6
CONTRACTS_THIN = 40


def against(fair: FairValue, found: Assessment, view: MarketView, rules: EntryRules, now_ms: int) -> str:
    """The counter-reason that is largest on its own scale. ``now_ms`` is world time."""
    bid, ask = view.book.best_bid, view.book.best_ask
    if bid is None or ask is None:
        return "book has one side only"
    mid = (bid + ask) / 2 / ONE_DOLLAR
    spread = view.market.grid.ticks_between(bid, ask)
    touch = view.book.size(found.side.opposite, ask if found.side is BookSide.BID else bid) // ONE_CONTRACT
    reasons = [
        (
            abs(fair.probability - mid) / rules.disagreement,
            f"market mid {mid * 100:.1f}c disagrees with fair {fair.probability * 100:.1f}c",
        ),
        (spread / SPREAD_TICKS_WIDE, f"spread {spread} ticks"),
        (CONTRACTS_THIN / max(1, touch) / 2, f"thin: {touch} at the touch"),
        (
            fair.sigma * ONE_DOLLAR / max(1, found.edge) / 2,
            f"fair value is known to +/-{fair.sigma * 100:.1f}c only",
        ),
    ]
    for age in fair.inputs:
        seconds = max(0, now_ms - age.event_ms) // 1000
        reasons.append(
            (
                seconds / max(1, age.stale_after_s),
                f"{age.name} {_short(seconds)} of {_short(age.stale_after_s)} old",
            )
        )
    return max(reasons, key=lambda reason: reason[0])[1]


def _short(seconds: int) -> str:
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}" if seconds >= 3600 else f"{seconds // 60}m"
