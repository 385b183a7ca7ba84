"""What is held, folded from fills, an operator's adjustments and settlements: positions and their sums."""

from __future__ import annotations

from core.domain.order import Fill
from core.domain.position import Position, adjust, apply, charge, settle
from core.domain.units import Quantity
from core.execution.changes import Changes
from core.execution.events import PositionAdjusted
from core.venues.venue import SettlementReport


class Holdings:
    """Positions by ticker. The ledger alone changes it, by facts it has journalled."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        self.held: dict[str, Position] = {}
        """The positions that are not flat: what is looked at often, however many there have been."""
        self.fills: dict[str, Fill] = {}
        self.fills_of: dict[str, list[Fill]] = {}
        self.adjusted: dict[str, int] = {}
        """Contracts an operator's adjustments added to a market, in all."""
        self.settled: dict[str, SettlementReport] = {}
        self.changed: Changes[str] = Changes()

    def net(self, ticker: str) -> Quantity:
        position = self.positions.get(ticker)
        return position.net if position is not None else Quantity(0)

    def expected(self, ticker: str) -> int:
        """What the net position must be by its facts alone; nothing is left of a settled market."""
        if ticker in self.settled:
            return 0
        filled = sum(fill.side.sign * fill.quantity for fill in self.fills_of.get(ticker, ()))
        return filled + self.adjusted.get(ticker, 0)

    def book(self, fill: Fill) -> None:
        """One fill more. The caller guarantees that each trade id comes once."""
        self.fills[fill.trade_id] = fill
        self.fills_of.setdefault(fill.ticker, []).append(fill)
        moved = apply(self.positions.get(fill.ticker, Position()), fill)
        settled = self.settled.get(fill.ticker)
        self._place(fill.ticker, settle(moved, settled.payout) if settled is not None else moved)

    def charge(self, fill: Fill) -> None:
        """The venue's own word on what a known fill was charged."""
        before = self.fills[fill.trade_id]
        self.fills[fill.trade_id] = fill
        known = self.fills_of[fill.ticker]
        known[known.index(before)] = fill
        self._place(fill.ticker, charge(self.positions[fill.ticker], fill.fee - before.fee))

    def adjust(self, event: PositionAdjusted) -> None:
        position = self.positions.get(event.ticker, Position())
        self.adjusted[event.ticker] = self.adjusted.get(event.ticker, 0) + event.net - position.net
        self._place(event.ticker, adjust(position, event.net, event.price))

    def settle(self, report: SettlementReport) -> None:
        self.settled[report.ticker] = report
        position = self.positions.get(report.ticker)
        if position is not None:
            self._place(report.ticker, settle(position, report.payout))

    def _place(self, ticker: str, position: Position) -> None:
        self.positions[ticker] = position
        if position.net:
            self.held[ticker] = position
        else:
            self.held.pop(ticker, None)
        self.changed.touch(ticker)
