"""Halts in force and what each one does at once: the flag first, then cards, then cancels, then the row."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from core.domain.clock import Clocks
from core.domain.order import CANCELLING, Purpose
from core.engine.record import Scribe
from core.engine.seats import Seats
from core.engine.state import DeskState
from core.execution.approvals import Approvals
from core.execution.ledger import Ledger
from core.execution.points import Point, Reach
from core.journal.events import Event, Kind
from core.risk.halts import (
    CAUSE_MAX,
    GLOBAL,
    Halt,
    Halts,
    HaltScope,
    Level,
    Refusal,
    ResumeFacts,
    ScopeKind,
)


class Halting:
    """Raises levels and lowers them on an operator's word. The standing halts are in the state."""

    def __init__(
        self,
        state: DeskState,
        ledger: Ledger,
        seats: Seats,
        approvals: Approvals,
        scribe: Scribe,
        clocks: Clocks,
        reach: Reach,
    ) -> None:
        self._state = state
        self._ledger = ledger
        self._seats = seats
        self._approvals = approvals
        self._scribe = scribe
        self._clocks = clocks
        self._reach = reach
        self.last_row = 0
        """Row of the newest global halt, for whoever waits until it is on disk."""

    def level(self, event: str, ticker: str) -> Halt | None:
        """The strictest of what covers a market: a standing halt, or what passes once the account agrees."""
        seat = self._seats.of(ticker)
        standing = self._state.halts.effective(seat.name.value, event, ticker)
        if standing is not None and standing.level >= Level.REDUCE_ONLY:
            return standing
        why = seat.reconciler.restraint(ticker)
        if not why:
            return None
        scope = HaltScope(ScopeKind.MARKET, ticker)
        return Halt(scope, Level.REDUCE_ONLY, why, self._clocks.wall_ms(), "engine")

    def restore(self, halts: Halts) -> None:
        """Halts of the run before this one stand again before anything else happens."""
        self._state.halts = halts
        self._seats.halted = halts.desk >= Level.HALTED
        self._state.touch_status()

    def go_on_cancelling(self) -> None:
        """What the last engine was cancelling when it ended, and what a standing halt covers, still goes."""
        stopped = [halt.scope for halt in self._state.halts.standing if halt.level >= Level.HALTED]
        unwanted = [
            client
            for client, order in self._ledger.live.items()
            if order.command in CANCELLING
            or any(self.covers(scope, order.intent.ticker) for scope in stopped)
        ]
        self._seats.cancel(unwanted, "still to be cancelled after a restart")

    def rise(
        self, scope: HaltScope, level: Level, cause: str, by: str = "engine", *, until_seen: bool = False
    ) -> bool:
        """Raise a level and do what it means. False when the scope stood there for this cause already."""
        if scope == GLOBAL and level >= Level.HALTED:
            self._seats.halted = True
            self._reach(Point.HALT_FLAGGED)
        risen, halt = self._state.halts.rise(
            Halt(scope, level, cause, self._clocks.wall_ms(), by, until_seen=until_seen)
        )
        if halt is None:
            return False
        self._state.halts = risen
        if level >= Level.HALTED:
            self._stop(scope, cause)
        self._reach(Point.HALT_CANCELLING)
        row = self._scribe.log.append(Event(Kind.HALT, halt, "", _ticker(scope), None, by))
        self._reach(Point.HALT_WRITTEN)
        if scope == GLOBAL:
            self.last_row = row
        self._state.touch_status()
        return True

    def _stop(self, scope: HaltScope, cause: str) -> None:
        if scope.kind in (ScopeKind.GLOBAL, ScopeKind.VENUE):
            # One call for every entry there is, also for those whose id is not known yet.
            for seat in self._seats.under(scope):
                seat.groups.trigger(Purpose.OPEN, cause)
        self._seats.cancel(
            [c for c, o in self._ledger.live.items() if self.covers(scope, o.intent.ticker)], cause
        )
        for card in self._approvals.queue():
            if any(self.covers(scope, ticker) for ticker in card.tickers):
                self._approvals.withdraw(card, f"halted: {cause}")

    def covers(self, scope: HaltScope, ticker: str) -> bool:
        """Whether a halt of this scope holds in a market."""
        if scope.kind is ScopeKind.GLOBAL:
            return True
        if scope.kind is ScopeKind.VENUE:
            venue = self._seats.venue_of(ticker)
            return venue is not None and scope.name == venue.value
        if scope.kind is ScopeKind.MARKET:
            return scope.name == ticker
        market = self._state.markets.get(ticker)
        return market is not None and market.market.event_ticker == scope.name

    def flatten_begins(self, by: str) -> None:
        """Exits of the ladder may leave, nothing else. Also from LOCKED, where nothing may at all."""
        self._seats.halted = True
        self._reach(Point.HALT_FLAGGED)
        known, cause = self._state.halts.at(GLOBAL), f"flatten by {by}"
        if known is not None:  # what stopped the desk before is still to be looked at
            cause = known.cause if cause in known.cause else f"{known.cause}; {cause}"[-CAUSE_MAX:]
        halt = Halt(GLOBAL, Level.FLATTENING, cause, self._clocks.wall_ms(), by)
        narrower = tuple(h for h in self._state.halts.standing if h.scope != GLOBAL)
        self._state.halts = Halts((*narrower, halt))
        self._stop(GLOBAL, halt.cause)
        self._reach(Point.HALT_CANCELLING)
        self.last_row = self._scribe.log.append(Event(Kind.HALT, halt, "", "", None, by))
        self._reach(Point.HALT_WRITTEN)
        self._state.touch_status()

    def flatten_goes_on(self) -> None:
        """A ladder that had ended finds something to sell: its exits may leave, as before."""
        known = self._state.halts.at(GLOBAL)
        assert known is not None, "a resume ends the ladder"
        halt = msgspec.structs.replace(known, level=Level.FLATTENING)
        narrower = tuple(h for h in self._state.halts.standing if h.scope != GLOBAL)
        self._state.halts = Halts((*narrower, halt))
        self._scribe.log.append(Event(Kind.HALT, halt))
        self._state.touch_status()

    def flatten_over(self, *, ran: bool) -> None:
        """The ladder has ended: locked after it ran, halted after an abort."""
        level = Level.LOCKED if ran else Level.HALTED
        self._state.halts, halt = self._state.halts.flatten_over(
            GLOBAL, level, by="engine", wall_ms=self._clocks.wall_ms()
        )
        self._scribe.log.append(Event(Kind.HALT, halt))
        self._state.touch_status()

    def acknowledge(self, scope: HaltScope, by: str) -> bool:
        """A person has seen the cause; whether that lifts the level, which it does for entries that wait."""
        halts, seen = self._state.halts.acknowledge(scope)
        if seen is None:
            return False
        # What stopped the groups is over only with a resume: it alone resets them.
        lifts = seen.until_seen and not any(s.groups.triggered for s in self._seats.under(scope))
        if lifts:
            halts, seen = halts.lifted(scope, by=by, wall_ms=self._clocks.wall_ms())
        self._scribe.log.append(
            Event(Kind.RESUME if lifts else Kind.HALT, seen, "", _ticker(scope), None, by)
        )
        self._state.halts = halts
        self._state.touch_status()
        return lifts

    def resume(self, scopes: Collection[HaltScope], facts: ResumeFacts, by: str) -> str | None:
        """Lift the halts of these scopes, narrow ones first; the sentence why not, or ``None`` when done.

        The operator has acknowledged their alarms; the typed reason says what was found.
        """
        halts, rows = self._state.halts, list[Halt]()
        for standing in sorted(halts.standing, key=lambda h: h.scope == GLOBAL):
            if standing.scope not in scopes:
                continue
            halts, _ = halts.acknowledge(standing.scope)
            lowered = halts.lower(standing.scope, Level.NORMAL, facts, by=by, wall_ms=self._clocks.wall_ms())
            if isinstance(lowered, Refusal):
                return lowered.reason
            halts, row = lowered
            rows.append(row)
        for row in rows:
            self._scribe.log.append(Event(Kind.RESUME, row, "", _ticker(row.scope), None, by))
        self._state.halts = halts
        self._seats.halted = halts.desk >= Level.HALTED
        for seat in self._seats.values():
            if halts.at(GLOBAL) is None and halts.at(seat.scope) is None:
                seat.groups.reset(f"resumed by {by}: {facts.reason}")
        self._state.touch_status()
        return None


def _ticker(scope: HaltScope) -> str:
    return scope.name if scope.kind is ScopeKind.MARKET else ""
