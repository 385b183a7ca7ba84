"""Who supervises the desk: an attached console, a recent command, or automatic mode within its time."""

from __future__ import annotations

from core.domain.clock import Clocks
from core.engine.state import DeskState, Mode
from core.risk.facts import Presence

GRACE_NS = 60_000_000_000
"""Entry orders outlive the last sign of a person by this much in semi-automatic mode."""


class Supervision:
    """Keeps the clock of absence. A command from the command line is a sign of life like a console."""

    def __init__(self, state: DeskState, clocks: Clocks, unattended_max_s: int) -> None:
        self._state = state
        self._clocks = clocks
        self._unattended_ns = unattended_max_s * 1_000_000_000
        self._seen_ns = clocks.mono_ns()
        self._cancelled_since_ns: int | None = None

    def seen(self) -> None:
        """A person did something: the grace begins anew."""
        self._seen_ns = self._clocks.mono_ns()
        self._cancelled_since_ns = None
        self.tick()

    @property
    def attached(self) -> bool:
        return bool(self._state.controller)

    def now(self) -> Presence:
        """What the gate is told. Nothing is approved by absence; automatic mode goes on for its time."""
        if self.attached:
            return Presence.PRESENT
        alone_ns = self._clocks.mono_ns() - self._seen_ns
        if self._state.mode is Mode.AUTO:
            return Presence.UNATTENDED if alone_ns < self._unattended_ns else Presence.ABSENT
        return Presence.PRESENT if alone_ns < GRACE_NS else Presence.ABSENT

    def tick(self) -> None:
        """Show until when automatic mode goes on without a console."""
        until = None
        if not self.attached and self._state.mode is Mode.AUTO:
            until = self._seen_ns + self._unattended_ns
        if until != self._state.unattended_until_ns:
            self._state.unattended_until_ns = until
            self._state.touch_status()

    def entries_must_go(self) -> bool:
        """True once when nobody has been there for too long: entry orders are cancelled then."""
        if self.now() is not Presence.ABSENT:
            self._cancelled_since_ns = None
            return False
        if self._cancelled_since_ns is not None:
            return False
        self._cancelled_since_ns = self._clocks.mono_ns()
        return True
