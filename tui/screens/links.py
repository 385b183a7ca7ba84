"""Linked pairs: the same question on two venues, and what its difference leaves out."""

from __future__ import annotations

from tui.scene import Scene, head
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.widgets.line_pane import LinePane
from tui.widgets.link_table import LinkTable, detail_lines
from tui.widgets.text_pane import TextPane

_DETAIL_ROWS = 12


class LinksScreen(ConsoleScreen):
    name_in_registry = "links"
    pages_text = True

    def __init__(self, key: int | None = None) -> None:
        super().__init__()
        self._key = key
        self.links = LinkTable()
        self.detail = TextPane(id="detail")

    def panes(self) -> list[LinePane]:
        return [self.links, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "links", height, _DETAIL_ROWS)

    def draw(self, scene: Scene) -> None:
        if self._key is not None:
            found = scene.view.pairs_of(self._key)
            if found:
                self.links.point_at((found[0].first, found[0].second))
            self._key = None
        self.links.show(scene)
        chosen = self.links.row_of(scene.view)
        rows = detail_lines(scene, chosen, self.detail.body_size[0]) if chosen is not None else []
        self.detail.show_text(rows, head("PAIR", chosen.state if chosen is not None else ""), dim=scene.dim)

    def open_cursor(self) -> None:
        """The first of its markets that is on the desk."""
        chosen = self.links.row_of(self.console.view)
        key = (chosen.first_key or chosen.second_key) if chosen is not None else 0
        if key:
            self.console.show_market(key)
        else:
            now = self.console.clock()
            self.console.operator.say("no market of a pair that is on this desk is here", "text-muted", now)
