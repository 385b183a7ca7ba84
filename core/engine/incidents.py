"""Something is wrong and a person has to look: a level rises, somebody is called, the row is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.market import Venue
from core.domain.order import Purpose
from core.engine.alarms import RESUME
from core.engine.autonomy import end_automatic
from core.engine.state import AlarmLevel
from core.execution.differences import Row
from core.journal.events import Kind
from core.risk.halts import GLOBAL, HaltScope, Level, ScopeKind

if TYPE_CHECKING:
    from core.engine.desk import Desk

SEEN = "acknowledge it"
"""In ``Alarm.clears``: the level falls with the acknowledgement."""

_EFFECT = {
    Level.REDUCE_ONLY: "takes no entries",
    Level.HALTED: "is halted",
    Level.LOCKED: "is locked",
}
_WHAT = {ScopeKind.GLOBAL: "the desk", ScopeKind.VENUE: "the venue"}


def name_of(scope: HaltScope) -> str:
    """What a scope is called on screen and by ``resume``."""
    if scope == GLOBAL:
        return "desk"
    return Venue(scope.name).short if scope.kind is ScopeKind.VENUE else scope.name


def label_of(desk: Desk, ticker: str) -> str:
    """A market for a person: by its label, the venue before it where there are several; by its ticker when
    it is not on the desk."""
    known = desk.state.markets.get(ticker)
    return desk.seats.named(desk.seats.of(ticker), known.market.label) if known is not None else ticker


def market(ticker: str) -> HaltScope:
    return HaltScope(ScopeKind.MARKET, ticker)


def stop(desk: Desk, scope: HaltScope, level: Level, cause: str, *, until_seen: bool = False) -> bool:
    """Raise a level for a cause and ring; false, and nothing done, when it stood there for that cause."""
    if not desk.halting.rise(scope, level, cause, until_seen=until_seen):
        return False
    end_automatic(desk.state, desk.scribe, cause)
    ring(desk, scope)
    return True


def end_entries(desk: Desk, scope: HaltScope, cause: str) -> None:
    """Take no more entries in a scope and cancel those that rest; exits stay possible."""
    if stop(desk, scope, Level.REDUCE_ONLY, cause):
        entries = [
            client
            for client, order in desk.ledger.live.items()
            if order.intent.purpose is Purpose.OPEN and desk.halting.covers(scope, order.intent.ticker)
        ]
        desk.seats.cancel(entries, cause)


def ring(desk: Desk, scope: HaltScope) -> None:
    """Call somebody to a halt that stands, anew if it was acknowledged for less."""
    halt = desk.state.halts.at(scope)
    if halt is None:
        return
    key = f"halt {scope}"
    if desk.alarms.seen(key):
        desk.alarms.clear(key)
    desk.alarms.raise_(
        key,
        AlarmLevel.ACT,
        f"{label_of(desk, scope.name) if scope.kind is ScopeKind.MARKET else name_of(scope)}: {halt.cause}",
        f"{_WHAT.get(scope.kind, f'that {scope.kind.value}')} {_EFFECT.get(halt.level, 'is stopped')}",
        SEEN if halt.until_seen else RESUME,
        scope.name if scope.kind is ScopeKind.MARKET else "",
        scope=scope,
    )


def note(desk: Desk, row: Row, ticker: str, text: str) -> None:
    """One difference between our record and the venue's, by its row."""
    desk.scribe.desk(Kind.DIFFERENCE, f"{row.value} {text}", ticker=ticker, row=row.value)
