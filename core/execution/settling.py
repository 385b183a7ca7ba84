"""What of our fills can still be undone, on venues that settle a trade after they have matched it.

A fill is provisional until its trade is confirmed. Stages are heard in any order and more than once, also
before the fill itself; what is known of a trade only grows. Pure bookkeeping: the ledger journals each
word that changed something and undoes the fills of a trade that failed.
"""

from __future__ import annotations

from core.domain.order import BookSide, Fill
from core.domain.trade import TradeStage, merged, trade_of
from core.domain.units import Quantity


class Settling:
    """Trades by id, and the fills that wait for them."""

    def __init__(self) -> None:
        self.stages: dict[str, TradeStage] = {}
        """Every trade that was heard of as provisional, or as failed before its fill came."""
        self.open: dict[str, dict[str, Fill]] = {}
        """Provisional fills by ticker and fill id; a market without any is left out."""
        self.failed: dict[str, Fill] = {}
        """Fills that were undone, by their id."""

    def news(self, trade_id: str, stage: TradeStage) -> bool:
        """Whether this word on a trade changes anything. Of one that no provisional fill is known of only its
        failure does: the fill may be on its way."""
        known = self.stages.get(trade_id)
        return stage is TradeStage.FAILED if known is None else merged(known, stage) is not known

    def take(self, trade_id: str, stage: TradeStage) -> None:
        known = self.stages.get(trade_id)
        self.stages[trade_id] = stage if known is None else merged(known, stage)

    def undone(self, fill: Fill) -> bool:
        """Whether its trade is known to have failed."""
        return self.stages.get(trade_of(fill.trade_id)) is TradeStage.FAILED

    def add(self, fill: Fill) -> TradeStage:
        """A fill was booked; it waits here unless nothing can undo it. How far its trade is."""
        if fill.final:
            return TradeStage.CONFIRMED
        self.open.setdefault(fill.ticker, {})[fill.trade_id] = fill
        return self.stages.setdefault(trade_of(fill.trade_id), TradeStage.MATCHED)

    def waiting(self, trade_id: str) -> list[Fill]:
        """The provisional fills of a trade."""
        return [f for fills in self.open.values() for f in fills.values() if trade_of(f.trade_id) == trade_id]

    def close(self, fill: Fill, *, failed: bool) -> None:
        """It waits no longer."""
        fills = self.open[fill.ticker]
        del fills[fill.trade_id]
        if not fills:
            del self.open[fill.ticker]
        if failed:
            self.failed[fill.trade_id] = fill

    def gaining(self, ticker: str, side: BookSide) -> Quantity:
        """Contracts that provisional fills on a side brought: not there if they fail."""
        return Quantity(sum(f.quantity for f in self.of(ticker) if f.side is side))

    def of(self, ticker: str) -> list[Fill]:
        """A market's provisional fills, oldest first."""
        return list(self.open.get(ticker, {}).values())
