"""Belief against truth: what the venue says of orders, fills, positions and cash, and what differs.

Only complete reads count. Facts are applied first (fills by trade id, then order states), then
positions and cash are compared, leaving out markets that moved while the reads were under way. A
difference is shown at once and acted on when a second complete read, three seconds later or more,
still has it; at start-up it is acted on immediately.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.order import Life
from core.domain.units import Money, Quantity, money_text, quantity_text
from core.execution.gateway import Gateway
from core.execution.ledger import OURS, Ledger
from core.venues.exchange import Cash
from core.venues.venue import Incomplete, OrderReport, PositionReport, ReportStatus, VenueGateway

PERIOD_S = 30.0
HALTED_PERIOD_S = 5.0
"""While halted a clean read is kept at hand for the resume command."""
SOON_S = 0.2
AGAIN_S = 3.0
OVERLAP_MS = 600_000
"""Fills are read again from this long before the last read; trade ids make it free."""
PARKED_LOOKUP_NS = 5_000_000_000
SETTLED_NS = 20_000_000_000
"""Position lists lag: a market that moved within this time is shown but not acted on."""
UNSETTLED_NS = 60_000_000_000
"""A difference this old is acted on even where the market never comes to rest."""
CASH_TOLERANCE = Money(50_000)


class Difference(msgspec.Struct, frozen=True):
    """One disagreement. ``ticker`` is empty for cash."""

    what: str
    """``position``, ``order``, ``cash``, ``fill``."""
    ticker: str
    ours: str
    theirs: str
    first_ns: int
    reads: int = 1
    acted: bool = False

    def __str__(self) -> str:
        where = f"{self.what} {self.ticker}".rstrip()
        return f"{where}: we say {self.ours}, the venue says {self.theirs}"


class Reading(msgspec.Struct, frozen=True):
    """How one reconciliation went."""

    at_ns: int
    complete: bool
    reason: str
    """What started it, or what was incomplete."""
    differences: tuple[Difference, ...] = ()
    began_ns: int = 0

    @property
    def clean(self) -> bool:
        return self.complete and not self.differences


class ReconcileListener(Protocol):
    def on_reading(self, reading: Reading) -> None:
        """After each reconciliation, complete or not."""
        ...

    def on_difference(self, difference: Difference) -> None:
        """A difference that must be acted on: seen twice, or at start-up."""
        ...

    def on_cash_base(self, base: Money) -> None:
        """The account's cash was read for the first time with nothing under way."""
        ...


class Reconciler:
    """Runs every half minute and whenever asked. ``venue_net`` holds positions that differ, by ticker."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        listener: ReconcileListener,
        awaiting_settlement: Callable[[str], bool],
    ) -> None:
        self._ledger = ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._listener = listener
        self._awaiting_settlement = awaiting_settlement
        self._wanted = asyncio.Event()
        self._reason = "start"
        self._fills_since_ms: int | None = None
        self._epochs: deque[tuple[int, int]] = deque(maxlen=64)
        self._seen: dict[tuple[str, str], tuple[str, str]] = {}
        """What the reading under way has found: ours and theirs by kind and ticker."""
        self._uncompared: set[tuple[str, str]] = set()
        """What the reading under way could not compare: an earlier difference there stands."""
        self.cash_base: Money | None = None
        """The account's cash without anything this journal's positions did to it."""
        self.differences: dict[tuple[str, str], Difference] = {}
        self.venue_net: dict[str, int] = {}
        self._cash_read: Cash | None = None
        self._flow_read = 0
        self.clean_ns: int | None = None
        """End of the last clean, complete reading."""
        self.read_ns: int | None = None
        """End of the last complete reading."""
        self.incomplete_since_ns: int | None = None
        self.incomplete_count = 0

    @property
    def cash(self) -> Money | None:
        """The account's cash as last read, less what was spent since.

        What came in since counts only once the venue says so.
        """
        return self._since(self._cash_read.total) if self._cash_read is not None else None

    def cash_on(self, shard: int) -> Money | None:
        """``cash`` that orders of one shard can use. What was spent since the reading counts on each."""
        return self._since(self._cash_read.on(shard)) if self._cash_read is not None else None

    def _since(self, read: Money) -> Money:
        return Money(read + min(0, self._flow() - self._flow_read))

    def request(self, reason: str) -> None:
        """Read soon: after a reconnect, a missing fill, an unanswered order, an operator's wish."""
        self._reason = reason
        self._wanted.set()

    async def run(self) -> None:
        """Reconcile for ever; the first reading is the start-up's own (``once``)."""
        while True:
            period = HALTED_PERIOD_S if self._gateway.halted else PERIOD_S
            if self.differences or self.incomplete_count:
                period = min(period, AGAIN_S)
            try:
                async with asyncio.timeout(period):
                    await self._wanted.wait()
                await asyncio.sleep(SOON_S)
            except TimeoutError:
                self._reason = "periodic"
            self._wanted.clear()
            await self.once()

    async def once(self, *, startup: bool = False) -> Reading:
        """One reconciliation of everything."""
        reason, epoch, began_ns = self._reason, self._ledger.epoch, self._clocks.mono_ns()
        self._seen, self._uncompared = {}, set()
        self._epochs.append((began_ns, epoch))
        trouble = await self._facts()
        if trouble is None:
            trouble = await self._compare(epoch, startup)
        now = self._clocks.mono_ns()
        if trouble is not None:
            self.incomplete_count += 1
            self.incomplete_since_ns = self.incomplete_since_ns or now
            reading = Reading(now, False, f"{trouble.what}: {trouble.reason}")
        else:
            self.incomplete_count, self.incomplete_since_ns = 0, None
            self.read_ns = now
            reading = Reading(now, True, reason, tuple(self.differences.values()), began_ns)
            if reading.clean:
                self.clean_ns = now
        self._listener.on_reading(reading)
        return reading

    # --- facts ---------------------------------------------------------------------------------

    async def _facts(self) -> Incomplete | None:
        """Apply what the venue knows and we do not: fills, settlements, states of orders."""
        began_ms = self._clocks.wall_ms()
        fills = await self._venue.fills(since_ms=self._fills_since_ms)
        if isinstance(fills, Incomplete):
            return fills
        resting = await self._venue.orders(status=ReportStatus.RESTING)
        if isinstance(resting, Incomplete):
            return resting
        settlements = await self._venue.settlements()
        if isinstance(settlements, Incomplete):
            return settlements
        for fill in fills:
            self._ledger.offer_fill(fill, "", "reconcile", self._clocks.mono_ns())
        self._fills_since_ms = began_ms - OVERLAP_MS
        for settlement in settlements:
            if settlement.ticker in self._ledger.positions:
                self._ledger.settle(settlement)
        trouble = await self._orders(resting)
        return trouble or await self._parked()

    async def _orders(self, resting: tuple[OrderReport, ...]) -> Incomplete | None:
        """States of orders; whatever the list does not hold is asked for one by one."""
        ledger = self._ledger
        listed = {report.order_id for report in resting}
        for report in resting:
            known = ledger.by_order_id.get(report.order_id)
            order = ledger.orders[known] if known is not None else None
            if order is not None and not order.live:
                # The list may lag behind the end: only the order itself proves that it still rests.
                fresh = await self._venue.order(report.order_id)
                if isinstance(fresh, Incomplete):
                    return fresh
                if fresh is not None and fresh.status is ReportStatus.RESTING:
                    self._gateway.cancel_stranger(report)
                    self._differs("order", report.ticker, order.life.value, "resting")
                    continue
            ledger.offer_report(report, "reconcile")
            ours = report.client_order_id.startswith(OURS)
            if ours and report.client_order_id not in ledger.orders:
                self._differs("order", report.ticker, "no intent", f"order {report.order_id}")
        for order_id in [i for i in ledger.externals if i not in listed]:
            ledger.forget_external(order_id)
        for order in list(ledger.live.values()):
            if order.order_id and order.order_id not in listed and order.life is Life.WORKING:
                found = await self._venue.order(order.order_id)
                if isinstance(found, Incomplete):
                    return found
                if found is not None:
                    ledger.offer_report(found, "reconcile")
                elif order.intent.client_order_id in ledger.live:
                    self._differs("order", order.intent.ticker, order.life.value, "not known")
        return None

    async def _parked(self) -> Incomplete | None:
        """Fills that have waited long enough for their order: whose are they?"""
        now = self._clocks.mono_ns()
        for trade_id, parked in list(self._ledger.parked.items()):
            if now - parked.since_ns < PARKED_LOOKUP_NS or trade_id not in self._ledger.parked:
                continue
            report = await self._venue.order(parked.fill.order_id)
            if isinstance(report, Incomplete):
                return report
            if report is None:
                self._differs("fill", parked.fill.ticker, "no order", f"trade {trade_id}")
            elif self._ledger.offer_report(report, "look-up") is None and trade_id in self._ledger.parked:
                self._ledger.claim_external(trade_id)
        return None

    # --- comparison ----------------------------------------------------------------------------

    async def _compare(self, epoch: int, startup: bool) -> Incomplete | None:
        epoch_read = self._ledger.epoch
        positions = await self._venue.positions()
        if isinstance(positions, Incomplete):
            return positions
        cash = await self._venue.cash()
        if isinstance(cash, Incomplete):
            return cash
        self._cash_read, self._flow_read = cash, self._flow()
        self._positions(positions, epoch_read)
        if self._ledger.epoch == epoch and not self._ledger.live and not self._ledger.parked:
            self._cash(cash.total)
        else:
            self._uncompared.add(("cash", ""))
        self._resolve(startup)
        return None

    def _positions(self, reports: tuple[PositionReport, ...], epoch: int) -> None:
        theirs = {report.ticker: int(report.net) for report in reports}
        ours = {ticker: int(p.net) for ticker, p in self._ledger.held.items()}
        for ticker in sorted(theirs.keys() | ours.keys() | self.venue_net.keys()):
            here, there = ours.get(ticker, 0), theirs.get(ticker, 0)
            if here == there:
                if self.venue_net.pop(ticker, None) is not None:
                    self._ledger.changed_positions.touch(ticker)
            elif self._ledger.moved_at.get(ticker, 0) > epoch:
                self._uncompared.add(("position", ticker))
            elif not (there == 0 and self._awaiting_settlement(ticker)):
                if self.venue_net.get(ticker) != there:
                    self.venue_net[ticker] = there
                    self._ledger.changed_positions.touch(ticker)
                self._differs("position", ticker, _contracts(here), _contracts(there))

    def _cash(self, cash: Money) -> None:
        """Our cash is a base plus everything positions cost, brought in and were charged."""
        flow = self._flow()
        if self.cash_base is None:
            self.cash_base = Money(cash - flow)
            self._listener.on_cash_base(self.cash_base)
        expected = Money(self.cash_base + flow)
        if abs(cash - expected) > CASH_TOLERANCE:
            self._differs("cash", "", money_text(expected), money_text(cash))

    def _flow(self) -> int:
        """What positions brought in less what they cost and were charged."""
        return sum(p.realised - p.cost - p.fees for p in self._ledger.positions.values())

    def _differs(self, what: str, ticker: str, ours: str, theirs: str) -> None:
        self._seen[what, ticker] = (ours, theirs)

    def _resolve(self, startup: bool) -> None:
        """Keep, count or drop differences by what this complete reading saw."""
        now = self._clocks.mono_ns()
        kept = {key: known for key, known in self.differences.items() if key in self._uncompared}
        acted: list[Difference] = []
        for (what, ticker), (ours, theirs) in self._seen.items():
            known = self.differences.get((what, ticker))
            first_ns, reads = (known.first_ns, known.reads + 1) if known is not None else (now, 1)
            age_ns = now - first_ns
            settled = self._still(ticker, now) or age_ns >= UNSETTLED_NS
            act = startup or (reads > 1 and age_ns >= AGAIN_S * 1e9 and settled)
            done = known is not None and known.acted
            difference = Difference(what, ticker, ours, theirs, first_ns, reads, done or act)
            kept[what, ticker] = difference
            if act and not done:
                acted.append(difference)
        self.differences = kept
        for difference in acted:
            self._listener.on_difference(difference)

    def _still(self, ticker: str, now: int) -> bool:
        """Whether the market (for cash: any) has not moved for a while and lagging lists have caught up."""
        moved = self._ledger.moved_at.get(ticker, 0) if ticker else self._ledger.epoch
        before = [epoch for at, epoch in self._epochs if now - at >= SETTLED_NS]
        return moved <= (before[-1] if before else 0)


def _contracts(net: int) -> str:
    return quantity_text(Quantity(net))
