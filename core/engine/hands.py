"""What every command of an operator does on the way: presence, journal, mode and pause."""

from __future__ import annotations

from core.engine.desk import Desk
from core.engine.operator import Actor, ActorKind
from core.engine.state import ALL_STRATEGIES, Mode
from core.engine.trading import Trading
from core.journal.events import Event, Kind
from core.journal.projections import ModeChanged, PauseChanged, Paused


class Hands:
    """The common part of a desk's operator methods."""

    desk: Desk
    trading: Trading

    def _present(self, actor: Actor) -> None:
        """A command from the command line is presence for its order and starts the grace anew."""
        if actor.kind is ActorKind.CLI:
            self.desk.supervision.seen()

    def _command(self, text: str, actor: Actor, **values: object) -> None:
        self.desk.scribe.log.append(Event(Kind.COMMAND, {"text": text, **values}, actor=actor.name))

    def _set_pause(self, name: str, *, paused: bool, by: str, why: str = "") -> None:
        state = self.desk.state
        if paused:
            state.paused.add(name)
            state.last_pause = Paused(by, self.desk.clocks.wall_ms(), why)
        elif name == ALL_STRATEGIES:
            state.paused.clear()
        else:
            state.paused.discard(name)
        self.desk.scribe.log.append(Event(Kind.PAUSE, PauseChanged(name, paused, why), actor=by))
        state.touch_status()
        self.trading.mark_all()

    def _set_mode(self, mode: Mode, reason: str, by: str) -> None:
        self.desk.state.mode = mode
        self.desk.scribe.log.append(Event(Kind.MODE, ModeChanged(mode.value, reason), actor=by))
        self.desk.state.touch_status()
        self.desk.supervision.tick()
        self.trading.mark_all()
