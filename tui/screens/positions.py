"""Positions and limits: what is held, what it can lose, how much of each limit is used."""

from __future__ import annotations

from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect, over
from tui.widgets.limits import Limits
from tui.widgets.line_pane import LinePane
from tui.widgets.position_table import PositionTable, waiting
from tui.widgets.venue_table import VenueTable, rows_wanted, shows

_LEAST = 6
"""Rows of a pane that is worth having."""
_LIMITS_LEAST = 4
"""Rows of the limits beside the venues: those of the current market, and the fullest."""


class PositionsScreen(ConsoleScreen):
    name_in_registry = "positions"

    def __init__(self) -> None:
        super().__init__()
        self.positions = PositionTable()
        self.limits = Limits(id="limits")
        self.venues = VenueTable()
        self._wanted = (0, 0)

    def panes(self) -> list[LinePane]:
        return [self.positions, self.venues, self.limits]

    def plan(self, width: int, height: int) -> Plan:
        body = height - 3
        held, venues = self._wanted
        if body < 2 * _LEAST:
            return over(width, height, "positions", (body + 1) // 2, 0, text="limits")
        limits = min(max(8, len(self.console.view.limits) + 4), body - max(_LEAST, held) - venues)
        limits = max(limits, _LIMITS_LEAST if venues else _LEAST)
        positions = body - limits - venues
        plan = {
            "positions": Rect(0, 1, width, positions),
            "limits": Rect(0, 1 + positions + venues, width, limits),
        }
        return plan | ({"venues": Rect(0, 1 + positions, width, venues)} if venues else {})

    def draw(self, scene: Scene) -> None:
        wanted = self._rows(scene)
        if wanted != self._wanted:
            self._wanted = wanted
            self.relayout()
        self.positions.show(scene)
        if wanted[1]:
            self.venues.show(scene)
        self.limits.show(scene, compact=False)

    def _rows(self, scene: Scene) -> tuple[int, int]:
        """What the panes above the limits would like: all that is held, and the venues where that says more
        than the status bar."""
        width = self.size.width
        held = 3 + len(scene.view.held()) + sum(map(len, waiting(scene, width)))
        return held, 1 + rows_wanted(scene, width) if shows(scene.view) else 0

    def open_cursor(self) -> None:
        key = self.positions.cursor_key
        if isinstance(key, int):
            self.console.show_market(key)
