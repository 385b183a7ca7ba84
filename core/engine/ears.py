"""What the engine does about news from its own rooms: ledger, stop ladder, workers.

Every method is one synchronous step.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.domain.faults import fault_words
from core.domain.order import Anomaly, BookSide, Fill, Life, Order, Outcome, Purpose, in_terms_of
from core.domain.units import price_text, quantity_text
from core.engine import incidents, resized
from core.engine.alarms import RESUME
from core.engine.posttrade import PostTrade
from core.engine.state import AlarmLevel
from core.execution.differences import Row
from core.execution.invariants import worst_case_covers
from core.execution.ladder import Ladder, Pause, Phase
from core.journal.events import Kind
from core.risk.halts import GLOBAL, Level
from core.venues.venue import SettlementReport

if TYPE_CHECKING:
    from core.engine.desk import Desk
    from core.engine.trading import Trading

HALTING = frozenset(
    {"late fill", "overfill", "conflicting fill", "foreign fill", "second order", "invariant", "parked fills"}
)
"""Anomalies after which a market waits for a person."""
ROWS = {"conflicting fill": Row.TWO_CONTENTS, "overfill": Row.OVERFILL}
"""Those that are rows of the table of differences."""

FAULT_PAUSE_S = 1.0
RING_NS = 60_000_000_000
PAUSED = "stop paused"
_log = logging.getLogger(__name__)


class Ears:
    """Implements the listeners of ledger, stop ladder and workers. ``wire`` completes it before use."""

    desk: Desk
    trading: Trading
    posttrade: PostTrade

    def __init__(self) -> None:
        self._rung_ns: int | None = None
        """When the stop that waits for the venue was last called out."""
        self._ladder_told: tuple[int, Phase | None] = (0, None)

    def wire(self, desk: Desk, trading: Trading) -> None:
        self.desk, self.trading = desk, trading
        self.posttrade = PostTrade(desk)

    # --- ledger --------------------------------------------------------------------------------

    def on_order_changed(self, before: Order | None, after: Order) -> None:
        desk, ticker = self.desk, after.intent.ticker
        client, seat = after.intent.client_order_id, desk.seats[after.intent.venue]
        desk.account.order_changed(before, after)
        desk.trips.tallies.order_changed(before, after)
        self._expose(ticker)
        if after.life is Life.UNKNOWN and (before is None or before.life is not Life.UNKNOWN):
            seat.unknowns.watch(after)
            seat.reconciler.request("unanswered order")
            desk.alarms.raise_(
                f"unknown {client}",
                AlarmLevel.CHECK,
                f"order {client[-4:]} got no answer: {after.reason}",
                "its worst case is reserved; no entries in its market",
                "the venue's word on it",
                ticker,
            )
        elif before is not None and before.life is Life.UNKNOWN and after.life is not Life.UNKNOWN:
            desk.alarms.clear(f"unknown {client}")
            if after.life is not Life.NEVER_ARRIVED:
                text = f"order {client[-4:]} is resolved: {after.display}"
                incidents.note(desk, Row.UNKNOWN_FOUND, ticker, text)
                desk.alarms.raise_(f"resolved {client}", AlarmLevel.NOTE, text, ticker=ticker)
        if before is not None:
            resized.follow(desk, before, after)
        if after.counted > after.matched:
            seat.reconciler.request("fills missing")
        desk.state.changed_markets.touch(ticker)
        self.trading.mark(ticker)

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None:
        desk = self.desk
        desk.account.filled(order, fill)
        desk.trips.tallies.filled(order, fill)
        if order is None:
            text = f"trade {fill.trade_id} in {fill.ticker} is of an order not placed here"
            incidents.note(desk, Row.EXTERNAL_FILL, fill.ticker, text)
            incidents.stop(desk, desk.seats[fill.venue].scope, Level.REDUCE_ONLY, text, until_seen=True)
        self._expose(fill.ticker)
        self.posttrade.filled(order, fill)
        desk.state.touch_status()
        desk.state.changed_markets.touch(fill.ticker)
        self.trading.mark(fill.ticker)

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None:
        """The venue is right: everything is counted anew, the rest of that order goes, and a person looks."""
        desk, ticker = self.desk, fill.ticker
        desk.account.moved(ticker)
        desk.trips.tallies.rebuild()
        self.posttrade.undone(fill)
        self._expose(ticker)
        what = (
            f"{_words(order, fill)} never were: their trade failed to settle and is reversed, "
            f"{quantity_text(desk.ledger.net(ticker))} held now (trade {fill.trade_id})"
        )
        incidents.note(desk, Row.FAILED_TRADE, ticker, what)
        incidents.stop(desk, incidents.market(ticker), Level.REDUCE_ONLY, what, until_seen=True)
        if order is not None:
            desk.seats.cancel((order.intent.client_order_id,), "a trade of it failed to settle")
        desk.seats[fill.venue].reconciler.request("a failed trade")
        desk.state.changed_markets.touch(ticker)
        self.trading.mark(ticker)

    def on_trade_confirmed(self, ticker: str) -> None:
        """More can be sold there."""
        self._expose(ticker)
        self.trading.mark(ticker)

    def on_settled(self, report: SettlementReport) -> None:
        desk = self.desk
        desk.account.moved(report.ticker)
        desk.trips.tallies.settled(report.ticker)
        self._expose(report.ticker)
        desk.alarms.raise_(
            f"settled {report.ticker}",
            AlarmLevel.NOTE,
            f"{report.ticker} settled {report.result or report.payout}",
            ticker=report.ticker,
        )

    def _expose(self, ticker: str) -> None:
        desk = self.desk
        broken = worst_case_covers(desk.ledger, ticker, desk.expose(ticker))
        if broken is not None:
            self.on_anomaly(ticker, Anomaly("", "invariant", broken))
        desk.state.limit_changes += 1
        desk.state.touch_status()

    def on_externals_changed(self, ticker: str) -> None:
        self._expose(ticker)
        self.desk.state.changed_markets.touch(ticker)
        self.trading.mark(ticker)

    def on_adjusted(self, ticker: str) -> None:
        desk = self.desk
        desk.account.moved(ticker)
        self._expose(ticker)
        desk.state.changed_markets.touch(ticker)
        self.trading.mark(ticker)

    def on_anomaly(self, ticker: str, anomaly: Anomaly) -> None:
        desk = self.desk
        text = f"{anomaly.kind}: {anomaly.detail}"
        desk.scribe.desk(Kind.ANOMALY, text, ticker=ticker, order=anomaly.client_order_id)
        if anomaly.kind in ROWS:
            incidents.note(desk, ROWS[anomaly.kind], ticker, text)
        venue = desk.seats.venue_of(ticker)
        for seat in desk.seats.values():
            if venue in (seat.name, None):  # of a market nobody has told of any venue may know more
                seat.reconciler.request(anomaly.kind)
        if anomaly.kind in HALTING:
            self.halt_market(ticker, text)

    def halt_market(self, ticker: str, cause: str) -> None:
        """Stop one market for a person to look at."""
        incidents.stop(self.desk, incidents.market(ticker), Level.HALTED, cause)

    # --- stop ladder ---------------------------------------------------------------------------

    def on_ladder(self, ladder: Ladder) -> None:
        desk = self.desk
        desk.state.flatten_changes += 1
        desk.state.touch_status()
        self._pause(ladder)
        if (ladder.started_ns, ladder.phase) == self._ladder_told:
            return
        first = self._ladder_told[0] != ladder.started_ns
        watched = self._ladder_told == (ladder.started_ns, Phase.UNFLATTENED)
        self._ladder_told = (ladder.started_ns, ladder.phase)
        if first:
            desk.scribe.desk(Kind.FLATTEN_START, f"flatten by {ladder.by}: {ladder.scope}", actor=ladder.by)
        elif ladder.over:
            desk.scribe.desk(Kind.FLATTEN_END, f"{ladder.phase.value}: {ladder.receipt}")
            if not watched:
                desk.halting.flatten_over(ran=ladder.phase is not Phase.ABORTED)
            desk.seats.read("end of a flatten")  # cash and positions on screen are from before it
            level, scope, key = AlarmLevel.NOTE, None, f"flatten {ladder.started_ns}"
            if ladder.phase is Phase.UNFLATTENED:
                level, scope = AlarmLevel.ACT, GLOBAL
            else:  # what an earlier look had to call somebody for is over
                desk.alarms.clear(key)
            desk.alarms.raise_(key, level, ladder.receipt, "the desk is halted", RESUME, scope=scope)
        else:
            if watched:
                desk.halting.flatten_goes_on()
            desk.scribe.desk(Kind.FLATTEN_STEP, ladder.phase.value)

    def _pause(self, ladder: Ladder) -> None:
        """A stop that the venue's pause holds up; ``ring_paused`` repeats it."""
        if ladder.pause is None or ladder.over:
            self._rung_ns = None
            self.desk.alarms.clear(PAUSED)
        elif self._rung_ns is None:
            self._ring(ladder.pause)

    def _ring(self, pause: Pause) -> None:
        desk = self.desk
        self._rung_ns = desk.clocks.mono_ns()
        resting = len(desk.ledger.live)
        desk.alarms.clear(PAUSED)
        desk.alarms.raise_(
            PAUSED,
            AlarmLevel.ACT,
            f"{pause.what}: the stop waits, {resting} orders rest",
            "cancels are repeated, exits follow when it opens" if pause.cancels else "nothing works there",
            "the venue's opening",
        )

    def ring_paused(self) -> None:
        """Once a second: a stop that still waits calls again every minute."""
        ladder = self.desk.stop.ladder
        if self._rung_ns is None or ladder is None or ladder.pause is None:
            return
        if self.desk.clocks.mono_ns() - self._rung_ns >= RING_NS:
            self._ring(ladder.pause)

    # --- own faults ----------------------------------------------------------------------------

    def on_task_fault(self, name: str, fault: BaseException) -> None:
        """A task of gateway, look-up or ladder broke: stop, cancel, call somebody."""
        _log.error("%s broke", name, exc_info=fault)
        what = f"fault in {name}: {fault_words(fault)}"
        incidents.stop(self.desk, GLOBAL, Level.HALTED, what)
        # Not at once: a fault that repeats itself must not spin the loop.
        asyncio.get_running_loop().call_later(FAULT_PAUSE_S, self._take_up_again)

    def _take_up_again(self) -> None:
        """Cancels and look-ups whose task broke go on."""
        self.desk.seats.cancel(tuple(self.desk.ledger.live), "fault")
        for order in self.desk.ledger.unknown():
            self.desk.seats[order.intent.venue].unknowns.watch(order)

    def on_worker_end(self, name: str, fault: BaseException | None, pause_s: float) -> None:
        if fault is not None:
            _log.error("worker %s broke", name, exc_info=fault)
        why = fault_words(fault) if fault is not None else "it returned"
        what = f"worker {name} stopped ({why}); restart in {pause_s:.0f} s"
        self.desk.scribe.desk(Kind.ANOMALY, what)
        self.desk.alarms.raise_(
            f"worker {name}", AlarmLevel.ACT, what, "what it feeds grows stale", "its restart"
        )

    def on_worker_restart(self, name: str) -> None:
        self.desk.alarms.clear(f"worker {name}")


def _words(order: Order | None, fill: Fill) -> str:
    """``4.00 NO bought at 0.60``; of an order that is not ours only the side of the YES book is known."""
    if order is None:
        outcome, verb = Outcome.YES, "bought" if fill.side is BookSide.BID else "sold"
    else:
        outcome, verb = order.intent.outcome, "sold" if order.intent.purpose is Purpose.CLOSE else "bought"
    price = price_text(in_terms_of(outcome, fill.price))
    return f"{quantity_text(fill.quantity)} {outcome.name} {verb} at {price}"
