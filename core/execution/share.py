"""What of the desk's one ledger is a venue's own: what its seat looks through, and what it reports into.

The ledger stays whole, because risk is counted over everything; whoever asks one venue must not
wait for, cancel or compare what belongs to another.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.domain.market import Venue
from core.domain.order import Fill, Life, Order
from core.domain.position import Position
from core.execution.ledger import Ledger, Parked
from core.venues.venue import OrderReport


class Share:
    """One venue's part. Every table is a new one, filtered at the moment it is asked for."""

    def __init__(self, ledger: Ledger, venue: Venue) -> None:
        self.ledger = ledger
        self.venue = venue

    @property
    def live(self) -> dict[str, Order]:
        """Orders that may still change a position, by client order id."""
        return {client: o for client, o in self.ledger.live.items() if o.intent.venue is self.venue}

    @property
    def held(self) -> dict[str, Position]:
        return {ticker: p for ticker, p in self.ledger.held.items() if self.owns(ticker)}

    @property
    def positions(self) -> dict[str, Position]:
        return {ticker: p for ticker, p in self.ledger.positions.items() if self.owns(ticker)}

    @property
    def externals(self) -> dict[str, OrderReport]:
        return {i: report for i, report in self.ledger.externals.items() if self.owns(report.ticker)}

    @property
    def parked(self) -> dict[str, Parked]:
        return {i: parked for i, parked in self.ledger.parked.items() if parked.fill.venue is self.venue}

    @property
    def epoch(self) -> int:
        """The ledger's epoch when something of this venue moved last."""
        return self.ledger.epochs.get(self.venue, 0)

    def owns(self, ticker: str) -> bool:
        return self.ledger.venues.get(ticker) is self.venue

    def newest_fills(self) -> Iterator[Fill]:
        """Backwards in the order in which they were learned."""
        return (fill for fill in reversed(self.ledger.fills.values()) if fill.venue is self.venue)

    def unknown(self) -> list[Order]:
        return [order for order in self.live.values() if order.life is Life.UNKNOWN]

    def unsettled_markets(self) -> list[str]:
        """Markets with a trade that may still fail."""
        return [ticker for ticker in self.ledger.settling.open if self.owns(ticker)]

    def unsettled(self) -> int:
        """The most, in money, that trades not settled yet can have moved already, or can still move."""
        waiting = (f for fills in self.ledger.settling.open.values() for f in fills.values())
        # A contract moves at most a dollar either way, and both are counted in millionths.
        return sum(f.quantity + abs(f.fee) for f in waiting if f.venue is self.venue)

    def offer_report(self, report: OrderReport, source: str) -> Order | None:
        """The venue describes an order. ``None``: it is not ours."""
        return self.ledger.offer_report(report, source, self.venue)
