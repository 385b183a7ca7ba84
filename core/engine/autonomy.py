"""The one way in which automatic mode ends by itself. It never begins so."""

from __future__ import annotations

from core.engine.record import Scribe
from core.engine.state import DeskState, Mode
from core.journal.events import Event, Kind
from core.journal.projections import ModeChanged


def end_automatic(state: DeskState, scribe: Scribe, why: str) -> None:
    """Orders wait for a person again from here on; nothing happens in semi-automatic mode."""
    if state.mode is Mode.AUTO:
        state.mode = Mode.SEMI
        scribe.log.append(Event(Kind.MODE, ModeChanged(Mode.SEMI.value, why)))
        state.touch_status()
