"""What the engine does about news from the venue: each callback is one synchronous step.

The hot one, ``on_book``, only remembers that a market changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.domain.market import Market
from core.domain.order import Fill
from core.domain.position import Position
from core.domain.units import quantity_text
from core.engine import incidents
from core.engine.catalogue import Catalogue
from core.engine.desk import Desk
from core.engine.safety import WEDGED_LAG_MS, unwell
from core.engine.seat import Seat
from core.engine.state import AlarmLevel
from core.engine.trading import Trading
from core.feeds.published import PublishedFeed
from core.journal.events import Kind
from core.risk.halts import Level
from core.venues.decisions import LimiterReport
from core.venues.published import Published
from core.venues.venue import (
    GroupChange,
    Link,
    LinkState,
    OrderReport,
    PositionReport,
    Print,
    SettlementReport,
    TradeReport,
)

KEPT_MAX = 10_000
"""Messages of the account kept while the engine starts."""


class VenueEars:
    """Implements ``VenueListener`` for one seat. ``wire`` completes it before the venue runs.

    What the account's streams tell is kept until ``release``: the first reading compares the venue with
    the journal alone, and what came meanwhile is applied after it, at most once like everything.
    """

    desk: Desk
    seat: Seat
    trading: Trading
    catalogue: Catalogue

    def __init__(self) -> None:
        self._kept: list[Callable[[], None]] | None = []
        self.publications: Mapping[str, PublishedFeed] = {}
        """The sources that tell what a venue publishes, by name."""

    def release(self) -> None:
        """The account has been read: take what was kept, in its order, and everything from now on."""
        kept, self._kept = self._kept, None
        for tell in kept or ():
            tell()

    def _tell(self, tell: Callable[[], None]) -> None:
        if self._kept is None:
            tell()
            return
        self._kept.append(tell)
        if len(self._kept) >= KEPT_MAX:  # a fact is worth more than the order it comes in
            self.release()

    def wire(self, desk: Desk, seat: Seat, trading: Trading, catalogue: Catalogue) -> None:
        self.desk, self.seat, self.trading, self.catalogue = desk, seat, trading, catalogue

    def on_book(self, ticker: str) -> None:
        self.desk.state.changed_markets.touch(ticker)
        self.trading.mark(ticker)

    def on_print(self, seen: Print) -> None:
        market = self.desk.state.markets.get(seen.ticker)
        if market is not None:
            market.tape.append(seen)

    def on_fill(self, fill: Fill, client_order_id: str) -> None:
        ledger, now_ns = self.desk.ledger, self.desk.clocks.mono_ns()
        self._tell(lambda: ledger.offer_fill(fill, client_order_id, "stream", now_ns))

    def on_trade(self, report: TradeReport) -> None:
        self._tell(lambda: self.desk.ledger.offer_trade(report))

    def on_order(self, report: OrderReport) -> None:
        self._tell(lambda: self._report(report))

    def _report(self, report: OrderReport) -> None:
        self.seat.share.offer_report(report, "stream")

    def on_position(self, report: PositionReport, trade_id: str) -> None:
        """The venue's count against ours: a difference is for a whole reading to judge."""
        desk = self.desk
        position = desk.ledger.positions.get(report.ticker, Position())
        if not self.seat.ready or report.net == position.net:
            return
        if trade_id:
            theirs, ours = quantity_text(report.net), quantity_text(position.net)
            text = f"position: the venue counts {theirs} after trade {trade_id}, we count {ours}"
            desk.scribe.desk(Kind.ANOMALY, text, ticker=report.ticker)
        elif desk.ledger.live_in(report.ticker):
            return  # the fill that explains it may be on its way
        self.seat.reconciler.request("position")

    def on_market(self, market: Market) -> None:
        if market.ticker in self.desk.state.markets:
            self.catalogue.take(market)

    def on_settlement(self, report: SettlementReport) -> None:
        self._tell(lambda: self._settled(report))

    def _settled(self, report: SettlementReport) -> None:
        if report.ticker in self.desk.ledger.positions:
            self.desk.ledger.settle(report)

    def on_link(self, link: Link) -> None:
        before, self.seat.link = self.seat.link, link
        self.desk.state.touch_status()
        if link.state is before.state:
            return
        key, short = f"link {self.seat.name.value}", self.seat.name.short
        self.desk.scribe.desk(Kind.LINK, f"{short} {link.state.value} {link.detail}".rstrip())
        if link.state is LinkState.OK:
            self.desk.alarms.clear(key)
        elif self.seat.ready:
            self.desk.alarms.raise_(
                key,
                AlarmLevel.ACT,
                f"{short} stream {link.state.value}: {link.detail}",
                "no entries; orders at the venue end by their own expiry",
                "the next connection",
            )

    def on_group(self, group_id: str, change: GroupChange) -> None:
        self.seat.groups.heard(group_id, change)

    def on_reconnect(self) -> None:
        self.seat.reconciler.request("the reconnect", doubt=True)
        self.trading.mark_all()

    def on_grid(self, ticker: str) -> None:
        if self.desk.ledger.live_in(ticker):
            self.seat.reconciler.request(f"the tick size of {ticker} changed", doubt=True)

    def on_limiter(self, report: LimiterReport) -> None:
        self.desk.scribe.desk(Kind.LIMITER, str(report))

    def on_storm(self, cause: str) -> None:
        incidents.stop(self.desk, self.seat.scope, Level.REDUCE_ONLY, cause)

    def on_credential(self, cause: str) -> None:
        incidents.stop(self.desk, self.seat.scope, Level.LOCKED, cause)

    def on_publication(self, source: str, channel: str, frame: bytes) -> None:
        feed = self.publications.get(source)
        if feed is not None:
            feed.keep(channel, frame)

    def on_published(self, value: Published) -> None:
        feed = self.publications.get(value.source)
        if feed is not None:
            feed.hear(value)

    def on_publication_list(self, source: str, names: tuple[str, ...]) -> None:
        feed = self.publications.get(source)
        if feed is not None:
            feed.offer(names)

    def on_unpublished(self, source: str, why: str) -> None:
        feed = self.publications.get(source)
        if feed is not None:
            feed.refuse(why)

    def on_anomaly(self, what: str, detail: str) -> None:
        self.desk.scribe.desk(Kind.ANOMALY, f"{what}: {detail}")

    def fit(self) -> bool:
        return not unwell(self.desk, self.seat.name, WEDGED_LAG_MS)
