"""Orders: what works now, and everything that ended today."""

from __future__ import annotations

from textual.widget import Widget

from tui.lines import line
from tui.scene import Scene, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.widgets.line_pane import LinePane
from tui.widgets.order_table import OrderTable, order_detail


class DoneTable(OrderTable):
    """Orders that are over."""

    def show_done(self, scene: Scene) -> None:
        rows = scene.view.ended()
        title = line(("DONE TODAY", "title"), (f" {len(rows)}", "text-muted"))
        keys = [row.client_order_id for row in rows]
        self.paint_rows(scene, keys, title, empty=[note("Nothing ended yet today.")])


class OrdersScreen(ConsoleScreen):
    name_in_registry = "orders"

    def __init__(self) -> None:
        super().__init__()
        self.orders = OrderTable()
        self.done = DoneTable(id="done", done=True)

    def panes(self) -> list[LinePane]:
        return [self.orders, self.done]

    def home_focus(self) -> Widget | None:
        return self.orders

    def plan(self, width: int, height: int) -> Plan:
        top = (height - 3) // 2
        return {
            "orders": Rect(0, 1, width, top),
            "done": Rect(0, 1 + top, width, height - 3 - top),
        }

    def draw(self, scene: Scene) -> None:
        self.orders.show(scene, scene.view.working())
        self.done.show_done(scene)

    def open_cursor(self) -> None:
        table = self.table()
        row = self.console.view.orders.get(str(table.cursor_key)) if table is not None else None
        if row is not None:
            now = self.console.clock()
            scene = self.console.operator.scene(now, self.size.width)
            self.console.operator.say(order_detail(scene, row), "text", now, 10**10)
