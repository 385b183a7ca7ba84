"""What is held, folded from fills, an operator's adjustments and settlements: positions and their sums."""

from __future__ import annotations

from collections import deque
from collections.abc import Container

import msgspec

from core.domain.order import Fill
from core.domain.position import Position, adjust, apply, charge, settle
from core.domain.units import ONE_DOLLAR, Quantity, complement
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
        self._adjustments: dict[str, list[tuple[int, PositionAdjusted]]] = {}
        """Adjustments of each market with how many of its fills came before them."""
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

    def paid(self, report: SettlementReport) -> int:
        """What a settlement brought in by our count."""
        held = sum(fill.side.sign * fill.quantity for fill in self.fills_of.get(report.ticker, ()))
        held += self.adjusted.get(report.ticker, 0)
        return abs(held) * (report.payout if held > 0 else complement(report.payout)) // ONE_DOLLAR

    def book(self, fill: Fill) -> None:
        """One fill more. The caller guarantees that each trade id comes once."""
        self.fills[fill.trade_id] = fill
        self.fills_of.setdefault(fill.ticker, []).append(fill)
        moved = apply(self.positions.get(fill.ticker, Position()), fill)
        settled = self.settled.get(fill.ticker)
        self._place(fill.ticker, settle(moved, settled.payout) if settled is not None else moved)

    def unbook(self, fill: Fill) -> None:
        """A fill never was: the position as its other facts make it, in their order."""
        del self.fills[fill.trade_id]
        known = self.fills_of[fill.ticker]
        at = next(i for i, other in enumerate(known) if other.trade_id == fill.trade_id)
        del known[at]
        adjusted = self._adjustments.get(fill.ticker, [])
        adjusted[:] = [(after - (after > at), event) for after, event in adjusted]
        self._place(fill.ticker, self.without(fill.ticker, frozenset()))

    def without(self, ticker: str, left_out: Container[str]) -> Position:
        """A market's position as if the fills of these ids had not been."""
        position, fills = Position(), self.fills_of.get(ticker, ())
        adjusted = deque(self._adjustments.get(ticker, ()))
        for count, fill in enumerate(fills):
            while adjusted and adjusted[0][0] <= count:
                position = _adjusted(position, adjusted.popleft()[1])
            if fill.trade_id not in left_out:
                position = apply(position, fill)
        for _, event in adjusted:
            position = _adjusted(position, event)
        settled = self.settled.get(ticker)
        return settle(position, settled.payout) if settled is not None else position

    def finalise(self, fill: Fill) -> None:
        """Nothing can undo a fill any more."""
        final = self.fills[fill.trade_id] = msgspec.structs.replace(self.fills[fill.trade_id], final=True)
        known = self.fills_of[fill.ticker]
        known[next(i for i, f in enumerate(known) if f.trade_id == fill.trade_id)] = final

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
        seen = len(self.fills_of.get(event.ticker, ()))
        self._adjustments.setdefault(event.ticker, []).append((seen, event))
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


def _adjusted(position: Position, event: PositionAdjusted) -> Position:
    """What an adjustment added stays added, whatever was undone before it."""
    return adjust(position, Quantity(position.net + event.net - event.was), event.price)
