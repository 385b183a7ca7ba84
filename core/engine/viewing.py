"""What the operator expects of figures to come: entered on the desk, kept in a file and the journal."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clocks
from core.engine.releases import Releases
from core.feeds.calendar.eastern import eastern_day
from core.feeds.calendar.views import KINDS, read_view
from core.feeds.releases import View
from core.journal.events import Event, Kind
from core.journal.store import EventLog

Append = Callable[[View], str]
"""Adds a view to the operator's file; returns why it could not, a sentence."""
NEXT = "next"
"""In place of a date: that of the next release a calendar tells of."""
_RELEASE_OF = {"CPI-CORE": "CPI", "CPI-YOY": "CPI", "U3": "JOBS"}
"""Release of the figures that are not called like theirs."""


class ViewEntered(msgspec.Struct, frozen=True):
    """Payload of a ``VIEW`` row."""

    view: View
    text: str


def nowhere(view: View) -> str:
    """Where a desk has no directory."""
    return "This desk keeps no file of views."


class Viewing:
    """Takes views. ``append`` is the file."""

    def __init__(self, clocks: Clocks, log: EventLog, releases: Releases, append: Append) -> None:
        self._clocks, self._log, self._releases, self._append = clocks, log, releases, append

    def enter(
        self, kind: str, released: str, centre: str, value: str, sd: str, source: str, by: str
    ) -> ViewEntered | str:
        """A view as typed, dated today. Returns why it does not count, in a sentence."""
        today = eastern_day(self._clocks.world_ms()).isoformat()
        if released.lower() == NEXT and kind.upper() in KINDS:
            name = _RELEASE_OF.get(kind.upper(), kind.upper())
            due = self._releases.coming(name)
            if due is None:
                return f"No calendar tells of a {name[:20]} to come: write its date, such as 2026-12-10."
            released = eastern_day(due.at_ms).isoformat()
        view = read_view((kind, released, centre, value, sd, source, today), today)
        if isinstance(view, str):
            return f"{view[:1].upper()}{view[1:]}."
        fault = self._append(view)
        if fault:
            return fault
        spread = f" +- {view.sd:g}" if view.sd is not None else ""
        text = (
            f"{view.centre.value} of {view.kind} of {view.released} is {view.value:g}{spread}, from "
            f"{view.source}"
        )
        made = ViewEntered(view, text)
        self._log.append(Event(Kind.VIEW, made, actor=by))
        return made
