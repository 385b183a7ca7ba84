"""Markets: the full table."""

from __future__ import annotations

from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.widgets.line_pane import LinePane
from tui.widgets.market_table import MarketTable


class MarketsScreen(ConsoleScreen):
    name_in_registry = "markets"

    def __init__(self) -> None:
        super().__init__()
        self.markets = MarketTable()

    def panes(self) -> list[LinePane]:
        return [self.markets]

    def plan(self, width: int, height: int) -> Plan:
        return {"markets": Rect(0, 1, width, height - 3)}

    def draw(self, scene: Scene) -> None:
        self.markets.show(scene, scene.market_keys)

    def open_cursor(self) -> None:
        key = self.markets.cursor_key
        if isinstance(key, int):
            self.console.show_market(key)
