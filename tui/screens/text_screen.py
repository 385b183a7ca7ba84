"""A screen of one text: what it says is all that its kinds differ in."""

from __future__ import annotations

from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import TextPane


class TextScreen(ConsoleScreen):
    """Subclasses draw into ``detail``."""

    def __init__(self) -> None:
        super().__init__()
        self.detail = TextPane(id="detail")

    def panes(self) -> list[LinePane]:
        return [self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return {"detail": Rect(0, 1, width, height - 3)}
