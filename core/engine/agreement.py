"""What the engine does about readings of the account: shows what differs, stops what must stop.

Every method is one synchronous step.
"""

from __future__ import annotations

from core.domain.units import Money
from core.engine import incidents
from core.engine.desk import Desk
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
SCOPES = {ScopeKind.GLOBAL: GLOBAL, ScopeKind.VENUE: incidents.VENUE}


class Agreement:
    """Implements ``ReconcileListener``. ``wire`` completes it before use."""

    desk: Desk

    def __init__(self) -> None:
        self._shown: dict[Key, Row] = {}

    def wire(self, desk: Desk) -> None:
        self.desk = desk

    def on_reading(self, reading: Reading) -> None:
        desk = self.desk
        state, reconciler = desk.state, desk.reconciler
        state.read_ns, state.cash, state.venue_net = reconciler.read_ns, reconciler.cash, reconciler.venue_net
        state.touch_status()
        if not reading.complete:
            effect = "entries stop when the last good read is too old"
            if reconciler.incomplete_count >= INCOMPLETE_MAX:
                effect = "no entries"
            what = f"the account cannot be read: {reading.reason}"
            desk.alarms.raise_("reading", AlarmLevel.CHECK, what, effect, "the next complete read")
            return
        if not reconciler.incomplete_count:
            desk.alarms.clear("reading")
        for key in [k for k in self._shown if k not in reconciler.differences]:
            del self._shown[key]
            desk.alarms.clear(_alarm(key))
        for key, difference in reconciler.differences.items():
            self._show(key, difference)
        self._remember()
        if reading.clean:
            desk.health.account_read(reading.began_ns)
            if not desk.health.stepped:
                desk.alarms.clear("gap")

    def _remember(self) -> None:
        """What led to each position that differs, kept while it stands: the log's tail moves on."""
        state, tail = self.desk.state, self.desk.scribe.log.tail
        tickers = [key.ticker for key in self.desk.reconciler.differences if key.about is About.POSITION]
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
            _alarm(key),
            AlarmLevel.CHECK,
            f"MISMATCH {difference.row.value} {difference}",
            _effect(difference),
            "agreement",
            key.ticker,
        )

    def on_difference(self, difference: Difference) -> None:
        policy = POLICY[difference.row]
        if policy.halts is not None:
            scope = SCOPES.get(policy.scope, HaltScope(ScopeKind.MARKET, difference.key.ticker))
            until_seen = policy.halts is Level.REDUCE_ONLY
            incidents.stop(self.desk, scope, policy.halts, str(difference), until_seen=until_seen)

    def on_fact(self, row: Row, ticker: str, text: str) -> None:
        incidents.note(self.desk, row, ticker, text)
        self.desk.alarms.raise_(f"{row.value} {ticker} {text}", AlarmLevel.NOTE, text, ticker=ticker)

    def on_cash_base(self, base: Money) -> None:
        self.desk.scribe.desk(Kind.RECONCILE, "cash is counted from the venue's", cash_base=base)


def _alarm(key: Key) -> str:
    return f"difference {key.about.value} {key.ticker} {key.subject}"


def _effect(difference: Difference) -> str:
    policy = POLICY[difference.row]
    if policy.halts is None:
        return "no entries in its market"
    where = {ScopeKind.GLOBAL: "the desk", ScopeKind.VENUE: "the venue"}.get(policy.scope, "its market")
    entries = "no entries in its market; " if policy.restrains and difference.key.ticker else ""
    verb = "stops entries of" if policy.halts is Level.REDUCE_ONLY else "halts"
    return f"{entries}{verb} {where} if the next reads agree"
