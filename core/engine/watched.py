"""The desk's side of its watchdog: what a pulse says, and what follows from the answers or their absence.

Without a watchdog nobody cancels for an engine that hangs: the operator is told and automatic mode
ends. A watchdog that has struck has cancelled everything: the desk is halted until somebody resumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.domain.clock import Clocks
from core.engine import incidents
from core.engine.state import AlarmLevel, Mode, WatchdogSeen
from core.journal.events import Event, Kind
from core.journal.projections import ModeChanged
from core.risk.halts import GLOBAL, Level

if TYPE_CHECKING:
    from core.engine.desk import Desk

GONE_NS = 5_000_000_000
DRILL_SILENT_NS = 3_000_000_000
"""So long beyond the watchdog's patience a drill keeps the engine silent."""
DRILL_NS = 10_000_000_000
"""A drill that has not seen a strike so long after that patience has failed."""


class Beat(msgspec.Struct, frozen=True):
    """What the engine has to say of itself in a pulse."""

    journal_seq: int
    live: int
    groups: tuple[tuple[str, str], ...]
    kept: bool = False
    """The engine ends and leaves these orders to their own expiry on purpose."""
    drill: bool = False


class Watched:
    """Fed by the process, which owns the socket. Nothing here waits. ``wire`` completes it before use."""

    _desk: Desk

    def __init__(self, clocks: Clocks, silent_s: int, *, expected: bool, struck_ms: int | None) -> None:
        self._silent_ns = silent_s * 1_000_000_000
        self.expected = expected
        """Whether this desk is meant to have a watchdog at all."""
        self._heard_ns = self._fit_ns = clocks.mono_ns()
        """When it was heard last, and when it last could have cancelled."""
        self._struck_ms = struck_ms
        self._drill_ns: int | None = None
        """When the running drill was asked for."""
        self._announced_ns: int | None = None
        self.kept = False
        """Whether an operator has ended the engine and left what rests to its own expiry."""

    def wire(self, desk: Desk) -> None:
        self._desk = desk

    def beat(self) -> Beat | None:
        """The next pulse; ``None`` while a drill keeps the engine silent."""
        now = self._desk.clocks.mono_ns()
        announces = self._drill_ns is not None and self._announced_ns is None
        if announces:
            self._announced_ns = now
        elif self._announced_ns is not None and now - self._announced_ns < self._silent_ns + DRILL_SILENT_NS:
            return None
        return Beat(
            self._desk.scribe.log.head_seq,
            len(self._desk.ledger.live),
            tuple(
                (at.group.group_id, at.group.part)
                for seat in self._desk.seats.values()
                for at in seat.groups.standing.values()
            ),
            self.kept,
            announces,
        )

    def answered(self, seen: WatchdogSeen) -> None:
        """The watchdog lives; it may have struck since it was heard last."""
        self._heard_ns = self._desk.clocks.mono_ns()
        if seen != self._desk.state.watchdog:
            self._desk.state.watchdog = seen
            self._desk.state.touch_status()
        if seen.struck_ms is not None and seen.struck_ms != self._struck_ms:
            self._struck_ms = seen.struck_ms
            self._struck(seen)
        if not seen.unfit:
            self._fit_ns = self._heard_ns
        # One that has just started has not tried its key yet.
        self._judge(seen.unfit if self._heard_ns - self._fit_ns > GONE_NS else "")

    def tick(self) -> None:
        """Once a second: how long it has been silent, and how a drill ended."""
        now = self._desk.clocks.mono_ns()
        if self._drill_ns is not None:
            if now - self._drill_ns > self._silent_ns + DRILL_NS:
                self._drilled(passed=False, what="no strike was seen")
        elif self.expected and now - self._heard_ns > GONE_NS:
            if self._desk.state.watchdog is not None:
                self._desk.state.watchdog = None
                self._desk.state.touch_status()
            self._judge("it does not answer")

    def problem(self) -> str:
        """Why nobody would cancel for this engine; empty when somebody would."""
        seen = self._desk.state.watchdog
        if not self.expected:
            return ""
        return seen.unfit if seen is not None else "it does not answer"

    def drill(self) -> str:
        """Fall silent on purpose and see it strike; why not, or empty when the drill has begun."""
        if self._drill_ns is not None:
            return "a drill is running"
        if not self.expected:
            return "this desk runs without a watchdog"
        if self.problem():
            return f"the watchdog could not strike: {self.problem()}"
        self._drill_ns, self._announced_ns = self._desk.clocks.mono_ns(), None
        return ""

    def _judge(self, unfit: str) -> None:
        desk = self._desk
        if not unfit:
            desk.alarms.clear("watchdog")
            return
        what = f"watchdog: {unfit}; nobody would cancel for an engine that hangs"
        effect = "automatic mode ends; orders end by their own expiry"
        desk.alarms.raise_("watchdog", AlarmLevel.ACT, what, effect, "a watchdog that answers")
        if desk.state.mode is Mode.AUTO:
            desk.state.mode = Mode.SEMI
            desk.scribe.log.append(Event(Kind.MODE, ModeChanged(Mode.SEMI.value, "no watchdog")))
            desk.state.touch_status()

    def _struck(self, seen: WatchdogSeen) -> None:
        desk = self._desk
        cause = f"the watchdog cancelled everything: {seen.receipt}"
        for seat in desk.seats.values():
            seat.groups.doubt("struck by the watchdog")
        if self._drill_ns is not None:
            desk.halting.rise(GLOBAL, Level.HALTED, cause)
            seconds = (desk.clocks.mono_ns() - self._drill_ns) / 1e9
            self._drilled(passed=True, what=f"it struck, seen after {seconds:.1f} s")
        else:
            incidents.stop(desk, GLOBAL, Level.HALTED, cause)
        desk.seats.read("watchdog")

    def _drilled(self, *, passed: bool, what: str) -> None:
        self._drill_ns = self._announced_ns = None
        self._heard_ns = self._desk.clocks.mono_ns()
        text = f"watchdog drill {'passed' if passed else 'FAILED'}: {what}"
        self._desk.scribe.desk(Kind.DRILL, text)
        level = AlarmLevel.NOTE if passed else AlarmLevel.ACT
        self._desk.alarms.raise_("drill", level, text)
