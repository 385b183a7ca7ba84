"""What the engine does about readings of the account: shows what differs, stops what must stop.

Every method is one synchronous step.
"""

from __future__ import annotations

from core.domain.units import Money
from core.engine import incidents
from core.engine.desk import Desk
from core.engine.seat import Seat
from core.engine.state import AlarmLevel
from core.execution.differences import POLICY, About, Difference, Key, Row
from core.execution.reconcile import INCOMPLETE_MAX, Reading
from core.journal.events import Kind
from core.journal.events import Row as JournalRow
from core.journal.projections import ORDER_KINDS
from core.risk.halts import GLOBAL, HaltScope, Level, ScopeKind

LAST_EVENTS = 10
_RENEWALS = {Kind.RENEWAL_SENT.value, Kind.RENEWAL_OUTCOME.value}
TELLING = (ORDER_KINDS | {Kind.ANOMALY.value}) - _RENEWALS
"""What can explain a position: orders, fills and settlements, not prices, cards and longer lives."""


class Agreement:
    """Implements ``ReconcileListener`` for one seat. ``wire`` completes it before use."""

    desk: Desk
    seat: Seat

    def __init__(self) -> None:
        self._shown: dict[Key, Row] = {}

    def wire(self, desk: Desk, seat: Seat) -> None:
        self.desk, self.seat = desk, seat

    def on_reading(self, reading: Reading) -> None:
        desk, reconciler = self.desk, self.seat.reconciler
        unread = f"reading {self.seat.name.value}"
        desk.state.touch_status()
        if not reading.complete:
            effect = "entries stop when the last good read is too old"
            if reconciler.incomplete_count >= INCOMPLETE_MAX:
                effect = "no entries"
            whose = desk.seats.named(self.seat, "account")
            what = f"the {whose} cannot be read: {reading.reason}"
            desk.alarms.raise_(unread, AlarmLevel.CHECK, what, effect, "the next complete read")
            return
        if not reconciler.incomplete_count:
            desk.alarms.clear(unread)
        for key in [k for k in self._shown if k not in reconciler.differences]:
            del self._shown[key]
            desk.alarms.clear(self._alarm(key))
        for key, difference in reconciler.differences.items():
            self._show(key, difference)
        self._remember()
        if reading.clean and reading.whole_since_ns is not None:
            desk.health.account_read(self.seat.name, reading.whole_since_ns)
            if not any(desk.health.stepped(venue) for venue in desk.seats):
                desk.alarms.clear("gap")

    def _remember(self) -> None:
        """What led to each position that differs, kept while it stands: the log's tail moves on."""
        state, tail = self.desk.state, self.desk.scribe.log.tail
        tickers = [
            key.ticker
            for seat in self.desk.seats.values()
            for key in seat.reconciler.differences
            if key.about is About.POSITION
        ]
        found: dict[str, tuple[JournalRow, ...]] = {}
        for ticker in tickers:
            kept = state.last_events.get(ticker, ())
            newest = kept[-1].seq if kept else 0
            fresh = [r for r in tail if r.seq > newest and r.ticker == ticker and r.kind in TELLING]
            found[ticker] = (*kept, *fresh)[-LAST_EVENTS:]
        state.last_events = found

    def _show(self, key: Key, difference: Difference) -> None:
        if self._shown.get(key) is difference.row:
            return
        self._shown[key] = difference.row
        incidents.note(self.desk, difference.row, key.ticker, str(difference))
        self.desk.alarms.raise_(
            self._alarm(key),
            AlarmLevel.CHECK,
            f"MISMATCH {difference.row.value} {difference}",
            _effect(difference),
            "agreement",
            key.ticker,
        )

    def on_difference(self, difference: Difference) -> None:
        policy = POLICY[difference.row]
        if policy.halts is not None:
            scopes = {ScopeKind.GLOBAL: GLOBAL, ScopeKind.VENUE: self.seat.scope}
            scope = scopes.get(policy.scope, HaltScope(ScopeKind.MARKET, difference.key.ticker))
            until_seen = policy.halts is Level.REDUCE_ONLY
            incidents.stop(self.desk, scope, policy.halts, str(difference), until_seen=until_seen)

    def on_fact(self, row: Row, ticker: str, text: str) -> None:
        incidents.note(self.desk, row, ticker, text)
        self.desk.alarms.raise_(f"{row.value} {ticker} {text}", AlarmLevel.NOTE, text, ticker=ticker)

    def on_cash_base(self, base: Money) -> None:
        """The row holds every seat's, because a start looks at the newest row alone."""
        bases = {venue.value: seat.reconciler.cash_base for venue, seat in self.desk.seats.items()}
        known = {venue: at for venue, at in bases.items() if at is not None} | {self.seat.name.value: base}
        self.desk.scribe.desk(Kind.RECONCILE, "cash is counted from the venue's", cash_base=known)

    def _alarm(self, key: Key) -> str:
        return f"difference {self.seat.name.value} {key.about.value} {key.ticker} {key.subject}"


def _effect(difference: Difference) -> str:
    policy = POLICY[difference.row]
    if policy.halts is None:
        return "no entries in its market"
    where = {ScopeKind.GLOBAL: "the desk", ScopeKind.VENUE: "the venue"}.get(policy.scope, "its market")
    entries = "no entries in its market; " if policy.restrains and difference.key.ticker else ""
    verb = "stops entries of" if policy.halts is Level.REDUCE_ONLY else "halts"
    return f"{entries}{verb} {where} if the next reads agree"
