"""Positions and limits: what is held, what it can lose, how much of each limit is used."""

from __future__ import annotations

from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.widgets.limits import Limits
from tui.widgets.line_pane import LinePane
from tui.widgets.position_table import PositionTable


class PositionsScreen(ConsoleScreen):
    name_in_registry = "positions"

    def __init__(self) -> None:
        super().__init__()
        self.positions = PositionTable()
        self.limits = Limits(id="limits")

    def panes(self) -> list[LinePane]:
        return [self.positions, self.limits]

    def plan(self, width: int, height: int) -> Plan:
        body = height - 3
        limits = min(max(8, len(self.console.view.limits) + 4), body - 6)
        return {
            "positions": Rect(0, 1, width, body - limits),
            "limits": Rect(0, 1 + body - limits, width, limits),
        }

    def draw(self, scene: Scene) -> None:
        self.positions.show(scene)
        self.limits.show(scene, compact=False)

    def open_cursor(self) -> None:
        key = self.positions.cursor_key
        if isinstance(key, int):
            self.console.show_market(key)
