"""Orders, fills and positions as the desk believes them: the projection of the order events.

Every change goes through here in one synchronous step: fold the event, journal it, index it, move
the position, check the invariants, tell the listener. Fills are facts keyed by the venue's trade id
and are applied once, whatever order they arrive in; a fill whose order is not known yet is parked
and offered again whenever a venue id becomes known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.domain.market import Venue
from core.domain.order import Anomaly, BookSide, Fill, Life, Order, Purpose
from core.domain.position import Position
from core.domain.trade import FINAL, TradeStage, trade_of
from core.domain.units import Price, Quantity
from core.execution.changes import Changes
from core.execution.events import (
    ExternalFilled,
    FeeCorrected,
    FillDropped,
    FillParked,
    LedgerEvent,
    MarketSettled,
    OrderAnswered,
    OrderEvent,
    OrderFilled,
    OrderIntended,
    OrderReported,
    OrderResurrected,
    PositionAdjusted,
    SettlementStated,
    TradeStaged,
)
from core.execution.fold import fold
from core.execution.holdings import Holdings
from core.execution.invariants import market_violations, violations
from core.execution.movement import Movement
from core.execution.settling import Settling
from core.venues.venue import OrderReport, ReportStatus, SettlementReport, TradeReport, Unresolved

PARKED_MAX = 10_000
"""Fills without a known order. A full lot halts their market: private facts are never dropped unseen."""


class Parked(msgspec.Struct):
    """A fill that waits for its order."""

    fill: Fill
    client_order_id: str
    since_ns: int
    source: str
    listed: bool = False
    """Whether a list of the venue holds it, so that it cannot be a message gone wrong."""


class LedgerListener(Protocol):
    """The engine's ear: called after a change is complete, in the same loop step."""

    def on_order_changed(self, before: Order | None, after: Order) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None: ...

    def on_settled(self, report: SettlementReport) -> None: ...

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None:
        """Its trade failed to settle: position, cash and P&L are as if it had never been."""
        ...

    def on_trade_confirmed(self, ticker: str) -> None:
        """What was provisional there counts as held for good, and can be sold."""
        ...

    def on_adjusted(self, ticker: str) -> None:
        """A person has accepted the venue's count of a position."""
        ...

    def on_anomaly(self, ticker: str, anomaly: Anomaly) -> None: ...

    def on_externals_changed(self, ticker: str) -> None:
        """An order placed elsewhere came, changed or went."""
        ...


class Recorder(Protocol):
    """Journals one ledger event of an order (or of a ticker) and returns its row number."""

    def __call__(self, event: LedgerEvent, *, client_order_id: str, ticker: str) -> int: ...


class Ledger:
    """See the module. Read the attributes freely; change them only through the methods."""

    def __init__(self, record: Recorder, listener: LedgerListener) -> None:
        self._record = record
        self._listener = listener
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        """Orders that may still change a position, by client order id."""
        self.rows: dict[str, int] = {}
        """Journal row of each order's intent."""
        self.last_row = 0
        """Journal row of the newest order event, for whoever has to wait until it is on disk."""
        self.by_order_id: dict[str, str] = {}
        self.of_proposal: dict[str, list[str]] = {}
        """Client order ids by the proposal that led to them."""
        self.holdings = Holdings()
        # The tables everybody reads, under the names they have everywhere.
        self.positions, self.held = self.holdings.positions, self.holdings.held
        self.fills, self.fills_of = self.holdings.fills, self.holdings.fills_of
        self.settled, self.changed_positions = self.holdings.settled, self.holdings.changed
        self.externals: dict[str, OrderReport] = {}
        """Resting orders of the account without an intent in this journal, by venue order id."""
        self.external_fills: dict[str, Fill] = {}
        self.parked: dict[str, Parked] = {}
        self.settling = Settling()
        self.conflicts: dict[str, Fill] = {}
        """Trades seen with a second content, which is not applied: that content, by trade id."""
        self.venues: dict[str, Venue] = {}
        """Where each market is of which anything is known here, by ticker."""
        self.epoch = 0
        """Counts every change; a reconciliation compares only what did not move meanwhile."""
        self.epochs: dict[Venue, int] = {}
        """Epoch of a venue's last change."""
        self.moved_at: dict[str, int] = {}
        """Epoch of a market's last change."""
        self.movement = Movement()
        self.changed_orders: Changes[str] = Changes()

    # --- reading -------------------------------------------------------------------------------

    def net(self, ticker: str) -> Quantity:
        return self.holdings.net(ticker)

    def live_in(self, ticker: str) -> list[Order]:
        return [order for order in self.live.values() if order.intent.ticker == ticker]

    def unknown(self) -> list[Order]:
        return [order for order in self.live.values() if order.life is Life.UNKNOWN]

    def left_of(self, proposal_id: str) -> Quantity:
        """Contracts that the orders of a proposal may still fill."""
        return Quantity(sum(self.orders[client].leaves for client in self.of_proposal.get(proposal_id, ())))

    def closing(self, ticker: str, side: BookSide, without: str = "") -> Quantity:
        """Contracts that closes on ``side`` may still fill, the order ``without`` left out."""
        return Quantity(
            sum(
                order.leaves
                for order in self.live.values()
                if order.intent.ticker == ticker
                and order.intent.side is side
                and order.intent.purpose is Purpose.CLOSE
                and order.intent.client_order_id != without
            )
        )

    def closable(self, ticker: str, without: str = "") -> Quantity:
        """What is held for good and not spoken for by a close that may fill, nor by an order from outside.

        What was bought and is not confirmed may never come, and what was sold may be on its way out.
        """
        net = self.net(ticker)
        side = BookSide.ASK if net > 0 else BookSide.BID
        outside = sum(r.remaining for r in self.externals_in(ticker) if r.side is side)
        free = abs(net) - self.unsettled(ticker)
        return Quantity(max(0, free - self.closing(ticker, side, without) - outside))

    def unsettled(self, ticker: str) -> Quantity:
        """Contracts of what is held that came by trades which may still fail."""
        net = self.net(ticker)
        if not net:
            return Quantity(0)
        return self.settling.gaining(ticker, BookSide.BID if net > 0 else BookSide.ASK)

    def if_undone(self, ticker: str) -> Position:
        """What is held if every close that is not confirmed fails: the worse case where one does."""
        net = self.net(ticker)
        closing = {fill.trade_id for fill in self.settling.of(ticker) if net * fill.side.sign < 0 or not net}
        return self.holdings.without(ticker, closing) if closing else self.positions.get(ticker, Position())

    def externals_in(self, ticker: str) -> list[OrderReport]:
        return [report for report in self.externals.values() if report.ticker == ticker]

    # --- orders --------------------------------------------------------------------------------

    def intend(self, event: OrderIntended) -> int:
        """A new order, before its row is durable; returns the row to wait for."""
        intent = event.intent
        order = Order(intent, sealed_id=event.sealed.order_id)
        seq = self._record(event, client_order_id=intent.client_order_id, ticker=intent.ticker)
        self.index(order, seq)
        self._store(None, order)
        self._report(order, None)
        return seq

    def apply(self, client_order_id: str, event: OrderEvent) -> Order:
        """One event of a known order. What changes nothing is not journalled."""
        before = self.orders[client_order_id]
        after, anomaly = fold(before, event)
        if after == before and anomaly is None:
            return before
        if isinstance(event, OrderFilled):
            return self._fill(before, after, event, anomaly)
        self.last_row = self._record(event, client_order_id=client_order_id, ticker=before.intent.ticker)
        self._store(before, after)
        self._report(after, anomaly)
        return self.orders[client_order_id]

    def owner(self, report: OrderReport) -> str | None:
        """The client id of the order a report describes, ``None`` when it is none of ours."""
        client = self.by_order_id.get(report.order_id)
        if client is None and report.client_order_id in self.orders:
            known = self.orders[report.client_order_id].order_id
            client = report.client_order_id if known in ("", report.order_id) else None
        return client

    def offer_report(self, report: OrderReport, source: str, venue: Venue) -> Order | None:
        """That venue describes an order. ``None``: it is not ours."""
        client = self.owner(report)
        if client is not None:
            return self.apply(client, OrderReported(report, source))
        twin = self.orders.get(report.client_order_id)
        if twin is not None and report.order_id not in self.externals:
            what = f"{twin.order_id} and {report.order_id} carry one client id"
            self._listener.on_anomaly(report.ticker, Anomaly(report.client_order_id, "second order", what))
        self._external(report, venue)
        return None

    def resurrect(self, client_order_id: str, report: OrderReport) -> Order:
        """Asked for an order that was over, the venue shows it resting: it counts again."""
        return self.apply(client_order_id, OrderResurrected(report))

    def _external(self, report: OrderReport, venue: Venue) -> None:
        self.venues.setdefault(report.ticker, venue)
        if report.status is ReportStatus.RESTING:
            if self.externals.get(report.order_id) == report:
                return
            self.externals[report.order_id] = report
        elif self.externals.pop(report.order_id, None) is None:
            return
        self._externals_changed(report)

    def forget_external(self, order_id: str) -> None:
        """Neither a complete list of open orders nor the venue asked for it knows it any more."""
        report = self.externals.pop(order_id, None)
        if report is not None:
            self._externals_changed(report)

    def _externals_changed(self, report: OrderReport) -> None:
        self._moved(report.ticker)
        self.changed_orders.touch(report.order_id)
        self.changed_positions.touch(report.ticker)
        self._listener.on_externals_changed(report.ticker)

    # --- fills ---------------------------------------------------------------------------------

    def offer_fill(self, fill: Fill, client_order_id: str, source: str, now_ns: int) -> None:
        """A fill from any channel: applied once, parked while its order is not known."""
        known = self.fills.get(fill.trade_id) or self.settling.failed.get(fill.trade_id)
        if known is not None:
            if not known.same_execution(fill):
                self._conflict(known, fill, client_order_id)
            elif fill.final and not known.final:
                self.offer_trade(TradeReport(trade_of(fill.trade_id), TradeStage.CONFIRMED, fill.at_ms))
            return
        client = self.by_order_id.get(fill.order_id) or (
            client_order_id if client_order_id in self.orders else None
        )
        if client is not None:
            self.apply(client, OrderFilled(fill, source))
        elif fill.trade_id not in self.parked and not self.settling.undone(fill):
            self._park(fill, client_order_id, source, now_ns)

    def _conflict(self, known: Fill, fill: Fill, client_order_id: str) -> None:
        """Two contents of one trade: nobody is believed, both are kept, the second is not applied."""
        if self.conflicts.get(fill.trade_id) == fill or len(self.conflicts) >= PARKED_MAX:
            return
        self.conflicts[fill.trade_id] = fill
        both = " and ".join(f"{f.side.value} {f.quantity} at {f.price}" for f in (known, fill))
        what = f"trade {fill.trade_id} is {both} of {fill.ticker}"
        self._listener.on_anomaly(fill.ticker, Anomaly(client_order_id, "conflicting fill", what))

    def _park(self, fill: Fill, client_order_id: str, source: str, now_ns: int) -> None:
        if len(self.parked) >= PARKED_MAX:
            what = f"more than {PARKED_MAX} without order"
            self._listener.on_anomaly(fill.ticker, Anomaly(client_order_id, "parked fills", what))
            return
        self.venues[fill.ticker] = fill.venue
        event = FillParked(fill, client_order_id, source)
        self._record(event, client_order_id=client_order_id, ticker=fill.ticker)
        self.parked[fill.trade_id] = Parked(fill, client_order_id, now_ns, source)
        self._moved(fill.ticker)

    def drop_parked(self, trade_id: str, reason: str) -> None:
        """Nothing but one message ever told of this fill: it is not believed."""
        fill = self.parked.pop(trade_id).fill
        self._record(FillDropped(trade_id, reason), client_order_id="", ticker=fill.ticker)
        self._moved(fill.ticker)
        self._listener.on_anomaly(fill.ticker, Anomaly("", "dropped fill", f"trade {trade_id}: {reason}"))

    def claim_external(self, trade_id: str) -> None:
        """This parked fill belongs to no order of ours and is in the venue's lists: the position moves."""
        parked = self.parked.pop(trade_id)
        fill = parked.fill
        self._record(ExternalFilled(fill, parked.source), client_order_id="", ticker=fill.ticker)
        self.external_fills[trade_id] = fill
        self._book(None, fill)
        self._check_market(fill.ticker)

    def offer_trade(self, report: TradeReport) -> None:
        """How far a trade of ours is, from any channel: taken once, in whatever order it is told."""
        if not self.settling.news(report.trade_id, report.stage):
            return
        waiting = self.settling.waiting(report.trade_id)
        ticker = waiting[0].ticker if waiting else ""
        event = TradeStaged(report)
        self._record(event, client_order_id=self._client_of(waiting), ticker=ticker)
        for fill, failed in self.staged(event):
            self._settled(fill, failed)
        if report.stage is TradeStage.FAILED:
            for trade_id in [i for i in self.parked if trade_of(i) == report.trade_id]:
                self.drop_parked(trade_id, "its trade failed to settle")

    def _client_of(self, fills: Sequence[Fill]) -> str:
        """The order a trade is journalled under: one of them, where it filled several of ours."""
        return next((c for f in fills if (c := self.by_order_id.get(f.order_id)) is not None), "")

    def staged(self, event: TradeStaged) -> list[tuple[Fill, bool]]:
        """Take one word on a trade: the fills that wait no longer, each with whether it failed."""
        trade_id = event.report.trade_id
        self.settling.take(trade_id, event.report.stage)
        stage = self.settling.stages[trade_id]
        fills = self.settling.waiting(trade_id) if stage in FINAL else []
        return [(fill, self._conclude(fill, event)) for fill in fills]

    def _conclude(self, fill: Fill, event: TradeStaged) -> bool:
        """A provisional fill is confirmed, or undone: then true."""
        failed = event.report.stage is TradeStage.FAILED
        client = self.by_order_id.get(fill.order_id)
        self.settling.close(fill, failed=failed)
        if client is not None:
            self.put(fold(self.orders[client], event).order)
            self.changed_orders.touch(client)
        if failed:
            self.holdings.unbook(fill)
            self.external_fills.pop(fill.trade_id, None)
        else:
            self.holdings.finalise(fill)
        return failed

    def _settled(self, fill: Fill, failed: bool) -> None:
        self._moved(fill.ticker)
        if failed:
            client = self.by_order_id.get(fill.order_id)
            self._listener.on_fill_undone(self.orders[client] if client is not None else None, fill)
        else:
            self.changed_positions.touch(fill.ticker)
            self._listener.on_trade_confirmed(fill.ticker)
        self._check_market(fill.ticker)

    def correct_fee(self, fill: Fill) -> None:
        """A list of the venue charges a known fill differently: its word counts."""
        event = FeeCorrected(msgspec.structs.replace(self.fills[fill.trade_id], fee=fill.fee))
        client = self.by_order_id.get(fill.order_id, "")
        self._record(event, client_order_id=client, ticker=fill.ticker)
        self.charge(event, client)
        self._moved(fill.ticker)
        self._check_market(fill.ticker)

    def charge(self, event: FeeCorrected, client: str) -> None:
        """A known fill's fee is another one."""
        self.holdings.charge(event.fill)
        if client:
            order = self.orders[client] = fold(self.orders[client], event).order
            if order.live:
                self.live[client] = order
            self.changed_orders.touch(client)

    def _fill(self, before: Order, after: Order, event: OrderFilled, anomaly: Anomaly | None) -> Order:
        fill = event.fill
        client = before.intent.client_order_id
        if len(after.fills) == len(before.fills):  # the same trade id with another content
            self._report(after, anomaly)
            return before
        self._record(event, client_order_id=client, ticker=fill.ticker)
        self.parked.pop(fill.trade_id, None)
        # Before anybody hears of it: who hears of a fill may stop its market and cancel this very order.
        self.put(after)
        self._book(after, fill)
        self._tell(before, self.orders[client])
        self._report(after, anomaly)
        return self.orders[client]

    def _book(self, order: Order | None, fill: Fill) -> None:
        undone = self.booked(fill)
        self._moved(fill.ticker)
        self._listener.on_fill_applied(order, fill)
        for gone, failed in undone:
            self._settled(gone, failed)

    def booked(self, fill: Fill) -> list[tuple[Fill, bool]]:
        """Count a fill; what its trade, heard of before, does to it at once."""
        self.venues[fill.ticker] = fill.venue
        self.holdings.book(fill)
        stage = self.settling.add(fill)
        if stage not in FINAL or fill.final:
            return []
        return self.staged(TradeStaged(TradeReport(trade_of(fill.trade_id), stage, fill.at_ms)))

    # --- settlement and adjustment -------------------------------------------------------------

    def settle(self, report: SettlementReport) -> bool:
        """Book a settlement once; false when it is known already.

        The venue's statement may follow; it is kept, for the venue keeps none for ever.
        """
        known = self.settled.get(report.ticker)
        if known is not None:
            if known.record is None and report.record is not None and known.payout == report.payout:
                self._record(SettlementStated(report), client_order_id="", ticker=report.ticker)
                self.settled[report.ticker] = report
            return False
        self._record(MarketSettled(report), client_order_id="", ticker=report.ticker)
        self.holdings.settle(report)
        self._moved(report.ticker)
        self._listener.on_settled(report)
        self._check_market(report.ticker)
        return True

    def adjust(self, ticker: str, net: Quantity, price: Price, reason: str, by: str, *, venue: Venue) -> None:
        """A person accepts the venue's count of a position that no fill explains."""
        event = PositionAdjusted(ticker, net, self.net(ticker), price, reason, by, venue)
        self.venues[ticker] = venue
        self._record(event, client_order_id="", ticker=ticker)
        self.holdings.adjust(event)
        self._moved(ticker)
        self._listener.on_adjusted(ticker)
        self._check_market(ticker)

    # --- restart -------------------------------------------------------------------------------

    def doubt(self, reason: str) -> None:
        """After a replay: what was between intent and answer may have arrived, so it is UNKNOWN."""
        for client, order in list(self.live.items()):
            if order.life in (Life.INTENT, Life.SENDING):
                at_ms = order.sent_ms or order.intent.created_ms
                self.apply(client, OrderAnswered(Unresolved(reason), at_ms))

    # --- common --------------------------------------------------------------------------------

    def _store(self, before: Order | None, after: Order) -> None:
        self.put(after)
        self._tell(before, after)

    def put(self, order: Order) -> None:
        """The order as it is from now on."""
        client = order.intent.client_order_id
        self.orders[client] = order
        if order.live:
            self.live[client] = order
        else:
            self.live.pop(client, None)

    def _tell(self, before: Order | None, after: Order) -> None:
        client = after.intent.client_order_id
        self._moved(after.intent.ticker)
        self.changed_orders.touch(client)
        self._listener.on_order_changed(before, after)
        if after.order_id and after.order_id not in self.by_order_id:
            self.by_order_id[after.order_id] = client
            self._offer_parked(after.order_id, client)

    def index(self, order: Order, seq: int) -> None:
        """A new order is known by its row, its card, and the venue's id if that is known beforehand."""
        intent = order.intent
        self.rows[intent.client_order_id] = seq
        self.venues[intent.ticker] = intent.venue
        if intent.proposal_id:
            self.of_proposal.setdefault(intent.proposal_id, []).append(intent.client_order_id)
        if order.sealed_id:
            self.by_order_id[order.sealed_id] = intent.client_order_id

    def _offer_parked(self, order_id: str, client: str) -> None:
        ours = [p for p in self.parked.values() if p.fill.order_id == order_id]
        for parked in ours:
            self.apply(client, OrderFilled(parked.fill, parked.source))

    def _moved(self, ticker: str) -> None:
        self.epoch += 1
        self.moved_at[ticker] = self.epoch
        if ticker in self.venues:
            self.epochs[self.venues[ticker]] = self.epoch
        self.movement.signal()

    def _report(self, order: Order, anomaly: Anomaly | None) -> None:
        client, ticker = order.intent.client_order_id, order.intent.ticker
        if anomaly is not None:
            self._listener.on_anomaly(ticker, anomaly)
        # Binding its id may have applied parked fills meanwhile: what stands now is judged.
        for name in violations(self, self.orders[client]):
            self._listener.on_anomaly(ticker, Anomaly(client, "invariant", name))

    def _check_market(self, ticker: str) -> None:
        for name in market_violations(self, ticker):
            self._listener.on_anomaly(ticker, Anomaly("", "invariant", name))
