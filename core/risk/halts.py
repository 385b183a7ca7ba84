"""What the desk may do at all: a level for each market, event, venue and the whole desk.

Levels rise by themselves and fall only by an operator's command after a clean reconcile. Conditions
that pass by themselves (a stale book, an unanswered order) are gate inputs, not halts. The value is
pure: each change is an event payload, so that a restart finds the same halts in the journal.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

RECONCILE_AGE_MAX_S = 10
RESUME_WORD = "resume"


class Level(enum.IntEnum):
    """What is still allowed, each including the prohibitions before it."""

    NORMAL = 0
    REDUCE_ONLY = 1
    """Exits and cancels."""
    HALTED = 2
    """Cancels only."""
    FLATTENING = 3
    """Cancels, and the exits of the running flatten."""
    LOCKED = 4
    """Cancels only, until the cause is cleared and the desk reconciled."""


class ScopeKind(enum.Enum):
    GLOBAL = "global"
    VENUE = "venue"
    EVENT = "event"
    MARKET = "market"


class HaltScope(msgspec.Struct, frozen=True):
    """Where a halt holds. ``name`` is the venue's value, event ticker or market ticker."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}".rstrip()


GLOBAL = HaltScope(ScopeKind.GLOBAL)


class Halt(msgspec.Struct, frozen=True):
    """One standing halt: the payload of ``HALT`` and ``RESUME`` events (then at the lowered level)."""

    scope: HaltScope
    level: Level
    cause: str
    """A sentence for a person."""
    since_wall_ms: int
    by: str
    """``engine`` or who asked for it."""
    acknowledged: bool = False
    until_seen: bool = False
    """Whether it waits for a person to have looked and for nothing else: acknowledging lifts it."""


class ResumeFacts(msgspec.Struct, frozen=True):
    """What lowering a level rests on; ``None`` = not known, which refuses."""

    clean_reconcile_age_s: float | None
    unknown_orders: int | None
    """Unresolved orders in the scope."""
    confirm: str = ""
    reason: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """Why a level was not lowered, one sentence."""

    reason: str


class Halts(msgspec.Struct, frozen=True):
    """Every standing halt by scope."""

    standing: tuple[Halt, ...] = ()

    @classmethod
    def restored(cls, halts: Iterable[Halt]) -> Halts:
        """From the newest payload of each scope; a flatten that a restart cut short comes up locked."""
        return cls(
            tuple(
                msgspec.structs.replace(h, level=Level.LOCKED) if h.level is Level.FLATTENING else h
                for h in halts
                if h.level > Level.NORMAL
            )
        )

    def at(self, scope: HaltScope) -> Halt | None:
        return next((h for h in self.standing if h.scope == scope), None)

    def effective(self, venue: str, event: str, ticker: str) -> Halt | None:
        """The strictest halt that covers a market, ``None`` for NORMAL."""
        scopes = (
            GLOBAL,
            HaltScope(ScopeKind.VENUE, venue),
            HaltScope(ScopeKind.EVENT, event),
            HaltScope(ScopeKind.MARKET, ticker),
        )
        return max((h for h in self.standing if h.scope in scopes), key=lambda h: h.level, default=None)

    @property
    def desk(self) -> Level:
        """The level of the whole desk, for the status bar."""
        halt = self.at(GLOBAL)
        return halt.level if halt is not None else Level.NORMAL

    @property
    def widest(self) -> Halt | None:
        """The strictest halt of more than an event, ``None`` for NORMAL."""
        wide = (h for h in self.standing if h.scope.kind in (ScopeKind.GLOBAL, ScopeKind.VENUE))
        return max(wide, key=lambda h: h.level, default=None)

    def rise(self, halt: Halt) -> tuple[Halts, Halt | None]:
        """Raise a scope's level. The halt to journal, or ``None`` when the scope stands there already.

        A second cause at a level already reached is joined to the first and must be acknowledged anew.
        """
        known = self.at(halt.scope)
        if known is not None:
            if halt.level <= known.level and halt.cause in known.cause:
                return self, None
            # Bounded: a cause that keeps changing its words must not grow the journal row for ever.
            cause = halt.cause if halt.cause in known.cause else f"{known.cause}; {halt.cause}"[-CAUSE_MAX:]
            halt = msgspec.structs.replace(
                halt,
                level=max(halt.level, known.level),
                cause=cause,
                since_wall_ms=known.since_wall_ms,
                until_seen=halt.until_seen and known.until_seen,
            )
        return self._with(halt), halt

    def acknowledge(self, scope: HaltScope) -> tuple[Halts, Halt | None]:
        """The operator has seen the cause; the halt to journal, ``None`` when there is nothing to do."""
        known = self.at(scope)
        if known is None or known.acknowledged:
            return self, None
        seen = msgspec.structs.replace(known, acknowledged=True)
        return self._with(seen), seen

    def lower(
        self, scope: HaltScope, to: Level, facts: ResumeFacts, *, by: str, wall_ms: int
    ) -> tuple[Halts, Halt] | Refusal:
        """An operator's command to lower a scope's level; the halt to journal as ``RESUME``."""
        known = self.at(scope)
        if known is None or to >= known.level:
            return Refusal(f"{scope} is not halted above that level.".capitalize())
        if known.level is Level.FLATTENING:
            return Refusal("A flatten is running; it ends first.")
        for missing in _missing(known, facts):
            return Refusal(missing)
        lowered = Halt(scope, to, facts.reason or known.cause, wall_ms, by, acknowledged=True)
        return self._with(lowered), lowered

    def lifted(self, scope: HaltScope, *, by: str, wall_ms: int) -> tuple[Halts, Halt]:
        """What waited for a person to have looked is over; the halt to journal as ``RESUME``."""
        known = self.at(scope)
        cause = known.cause if known is not None else ""
        lowered = Halt(scope, Level.NORMAL, cause, wall_ms, by, acknowledged=True)
        return self._with(lowered), lowered

    def flatten_over(self, scope: HaltScope, to: Level, *, by: str, wall_ms: int) -> tuple[Halts, Halt]:
        """End of a flatten: HALTED after an abort, LOCKED after it ran. The only fall without a command."""
        known = self.at(scope)
        cause = known.cause if known is not None else "flatten"
        after = Halt(scope, max(to, Level.HALTED), cause, wall_ms, by)
        return self._with(after), after

    def _with(self, halt: Halt) -> Halts:
        others = tuple(h for h in self.standing if h.scope != halt.scope)
        return Halts((*others, halt) if halt.level > Level.NORMAL else others)


CAUSE_MAX = 400


def _missing(halt: Halt, facts: ResumeFacts) -> tuple[str, ...]:
    """What still stands against lowering a halt, the first thing to do first."""
    age, unknown, out = facts.clean_reconcile_age_s, facts.unknown_orders, []
    if not halt.acknowledged:
        out.append(f"Acknowledge the cause first: {halt.cause}.")
    if unknown is None or unknown > 0:
        out.append(f"{'Some' if unknown is None else unknown} orders are UNKNOWN; they are resolved first.")
    if age is None or not 0 <= age <= RECONCILE_AGE_MAX_S:
        out.append(f"No clean reconcile within {RECONCILE_AGE_MAX_S} s; it is being repeated, try again.")
    if halt.scope.kind is ScopeKind.GLOBAL:
        if facts.confirm != RESUME_WORD:
            out.append(f"Resuming needs the typed word '{RESUME_WORD}'.")
        if not facts.reason.strip():
            out.append("Resuming needs a reason.")
    return tuple(out)
