"""One look at what the venue knows: fills, settlements and orders are applied, and what does not fit is said.

The venue's facts are taken at once. Absence is not a fact: what a list lacks is asked for by its id.
"""

from __future__ import annotations

from collections.abc import Callable

from core.domain.clock import Clocks
from core.domain.order import OURS, Fill, Life, Order, TimeInForce
from core.domain.trade import TradeStage
from core.domain.units import Quantity, money_text, quantity_text
from core.execution.differences import About, Differences, Key, Row
from core.execution.gateway import Gateway
from core.execution.share import Share
from core.venues.venue import Incomplete, OrderReport, ReportStatus, VenueGateway

OVERLAP_MS = 600_000
"""Fills are read again from this long before the last read; trade ids make it free."""
PARKED_LOOKUP_NS = 5_000_000_000
PARKED_MAX_NS = 600_000_000_000
STREAM_LATE_MS = 2_000
"""A fill first seen in a list this long after it happened was never told."""
LIST_LATE_MS = 10_000
"""A fill younger than this may still be on its way into the lists."""
REOPENS = frozenset({Life.NEVER_SENT, Life.REJECTED, Life.CANCELLED, Life.EXPIRED, Life.NEVER_ARRIVED})

OnFact = Callable[[Row, str, str], None]


class Facts:
    """Reads and applies. Every method returns what was incomplete, ``None`` when nothing was."""

    def __init__(
        self,
        share: Share,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        found: Differences,
        on_fact: OnFact,
        rested: Callable[[str], bool],
    ) -> None:
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._found = found
        self._on_fact = on_fact
        self._rested = rested
        self._since_ms: int | None = None
        self.resting: dict[str, OrderReport] = {}
        """What the venue listed last, by its order id."""

    async def read(self, *, whole: bool) -> Incomplete | None:
        """Fills, settlements, orders; ``whole``: from the beginning instead of the last read."""
        since_ms, began_ms = None if whole else self._since_ms, self._clocks.wall_ms()
        fills = await self._venue.fills(since_ms=since_ms)
        if isinstance(fills, Incomplete):
            return fills
        trades = await self._venue.trades(since_ms=since_ms)
        if isinstance(trades, Incomplete):
            return trades
        settlements = await self._venue.settlements(since_ms=since_ms)
        if isinstance(settlements, Incomplete):
            return settlements
        for trade in trades:
            if trade.stage is TradeStage.FAILED:  # before its fills: they are never counted on
                self._ledger.offer_trade(trade)
        for fill in fills:
            self._fill(fill)
        for trade in trades:
            self._ledger.offer_trade(trade)
        self._unlisted(fills, since_ms, began_ms)
        for settlement in settlements:
            if settlement.ticker in self._ledger.positions:
                self._ledger.settle(settlement)
        trouble = await self.orders() or await self._parked()
        if trouble is None:
            # Only now: what was read and not applied is read again.
            self._since_ms = began_ms - OVERLAP_MS
        return trouble

    # --- fills ---------------------------------------------------------------------------------

    def _fill(self, fill: Fill) -> None:
        ledger = self._ledger
        known = ledger.fills.get(fill.trade_id) or ledger.settling.failed.get(fill.trade_id)
        if known is None:
            ledger.offer_fill(fill, "", "reconcile", self._clocks.mono_ns())
            if fill.trade_id in ledger.parked:
                ledger.parked[fill.trade_id].listed = True
            elif self._clocks.wall_ms() - fill.at_ms > STREAM_LATE_MS:
                what = f"missed fill recovered: {quantity_text(fill.quantity)}, trade {fill.trade_id}"
                self._on_fact(Row.MISSED_FILL, fill.ticker, what)
        elif fill.trade_id in ledger.fills and known.same_execution(fill) and self._corrects(known, fill):
            ledger.correct_fee(fill)
            what = f"trade {fill.trade_id} cost {money_text(fill.fee)} in fees, not {money_text(known.fee)}"
            self._on_fact(Row.FEE, fill.ticker, what)
        else:
            ledger.offer_fill(fill, "", "reconcile", self._clocks.mono_ns())

    def _corrects(self, known: Fill, fill: Fill) -> bool:
        """Whether a listed fill's fee is news. Where the venue tells none both are our own count, and the
        first went by what held when it traded, unless nothing was known then."""
        return known.fee != fill.fee and (self._venue.traits.tells_fees or not known.fee)

    def _unlisted(self, fills: tuple[Fill, ...], since_ms: int | None, began_ms: int) -> None:
        """Fills we hold from the time the list covers, which it lacks."""
        first_ms = began_ms - OVERLAP_MS if since_ms is None else since_ms + 1_000
        listed = {fill.trade_id for fill in fills}
        for fill in self._share.newest_fills():
            if fill.at_ms < first_ms - OVERLAP_MS:
                break  # in the order they were learned, which is nearly that of their times
            if first_ms <= fill.at_ms < began_ms - LIST_LATE_MS and fill.trade_id not in listed:
                key = Key(About.FILL, fill.ticker, fill.trade_id)
                self._found.saw(Row.UNLISTED_FILL, key, quantity_text(fill.quantity), "no such fill")

    async def _parked(self) -> Incomplete | None:
        """Fills that have waited long enough for their order: whose are they?"""
        now, ledger = self._clocks.mono_ns(), self._ledger
        for trade_id, parked in self._share.parked.items():
            age_ns, fill = now - parked.since_ns, parked.fill
            if age_ns < PARKED_LOOKUP_NS or trade_id not in ledger.parked:
                continue
            report = await self._venue.order(fill.order_id)
            if isinstance(report, Incomplete):
                return report
            if report is not None:
                if self._share.offer_report(report, "look-up") is None and trade_id in ledger.parked:
                    self.claim(trade_id)
            elif parked.listed:
                key = Key(About.FILL, fill.ticker, trade_id)
                what = f"{quantity_text(fill.quantity)} of order {fill.order_id}"
                self._found.saw(Row.EXTERNAL_FILL, key, "no such order", what)
            elif age_ns > PARKED_MAX_NS:
                ledger.drop_parked(trade_id, "in no list of the venue within ten minutes")
        return None

    def claim(self, trade_id: str) -> None:
        """The fill is of this account and of no order of ours."""
        if trade_id in self._ledger.parked:
            self._ledger.claim_external(trade_id)

    # --- orders --------------------------------------------------------------------------------

    async def orders(self) -> Incomplete | None:
        """States of orders; whatever the list does not hold is asked for one by one."""
        resting = await self._venue.orders(status=ReportStatus.RESTING)
        if isinstance(resting, Incomplete):
            return resting
        ledger = self._ledger
        self.resting = {report.order_id: report for report in resting}
        listed = self.resting.keys()
        for report in resting:
            trouble = await self._listed(report)
            if trouble is not None:
                return trouble
        for order_id in [i for i in self._share.externals if i not in listed]:
            found = await self._venue.order(order_id)
            if isinstance(found, Incomplete):
                return found
            if found is None:
                ledger.forget_external(order_id)
            else:
                self._share.offer_report(found, "reconcile")
        for order in self._share.live.values():
            if order.order_id and order.order_id not in listed and order.life is Life.WORKING:
                trouble = await self._by_id(order)
                if trouble is not None:
                    return trouble
        for client, order in self._share.live.items():
            if order.counted > order.matched:
                key = Key(About.ORDER, order.intent.ticker, client)
                ours, theirs = quantity_text(order.matched), quantity_text(order.counted)
                self._found.saw(Row.COUNTED_FILL, key, ours, theirs)
        return None

    async def _listed(self, report: OrderReport) -> Incomplete | None:
        """One open order of the list."""
        ledger = self._ledger
        client = ledger.owner(report)
        if client is None:
            self._share.offer_report(report, "reconcile")
            if report.client_order_id.startswith(OURS):
                key = Key(About.ORDER, report.ticker, report.order_id)
                theirs = f"order {report.order_id}"
                self._found.saw(Row.RESURRECTED, key, "no intent", theirs, proved=True)
                self._cancel_stranger(report)
            return None
        order = ledger.orders[client]
        if order.live:
            self._applied(self._share.offer_report(report, "reconcile") or order, report)
            answered = order.life in (Life.WORKING, Life.UNKNOWN)
            if order.intent.tif is not TimeInForce.GTC and answered and not self._gateway.cancelling(client):
                # Where such an order can rest, its rest is cancelled with the answer: this one's was lost.
                self._gateway.cancel((client,), "it was to trade at once or not at all")
            return None
        # The list may lag behind the end: only the order itself proves that it still rests.
        fresh = await self._venue.order(report.order_id)
        if isinstance(fresh, Incomplete):
            return fresh
        if fresh is None or fresh.status is not ReportStatus.RESTING or ledger.orders[client].live:
            return None
        key = Key(About.ORDER, report.ticker, client)
        rested = self._rested(report.ticker)  # no list lags so long
        self._found.saw(Row.RESURRECTED, key, order.life.value, "resting", proved=rested)
        if order.life in REOPENS and rested:
            # It counts again from now on, and nobody wants it: gone it must be.
            ledger.resurrect(client, fresh)
            self._gateway.cancel((client,), "it was over")
        else:
            self._cancel_stranger(fresh)
        return None

    def _cancel_stranger(self, report: OrderReport) -> None:
        """It came from a desk like this one and nobody wants it here: gone it must be."""

        def tell(text: str) -> None:
            self._on_fact(Row.RESURRECTED, report.ticker, f"order {report.order_id}: {text}")

        self._gateway.cancel_stranger(report, tell)

    async def _by_id(self, order: Order) -> Incomplete | None:
        found = await self._venue.order(order.order_id)
        if isinstance(found, Incomplete):
            return found
        client = order.intent.client_order_id
        if found is not None:
            self._applied(self._share.offer_report(found, "reconcile") or order, found)
        elif client in self._ledger.live:
            key = Key(About.ORDER, order.intent.ticker, client)
            self._found.saw(Row.UNLISTED_ORDER, key, order.life.value, "not known")
        return None

    def _applied(self, order: Order, report: OrderReport) -> None:
        """P10: the venue's count is never below our fills for long, or a fill is not this order's."""
        if report.filled < order.filled:
            key = Key(About.FILL, report.ticker, order.intent.client_order_id)
            ours, theirs = quantity_text(order.filled), quantity_text(Quantity(report.filled))
            self._found.saw(Row.UNLISTED_FILL, key, f"{ours} filled", f"{theirs} filled")
