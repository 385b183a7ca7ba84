"""Orders: what works now, whether the venue agrees, and everything that ended today."""

from __future__ import annotations

from textual.widget import Widget

from tui.lines import line
from tui.polling import Polling
from tui.scene import Scene, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect, over
from tui.screens.why import WhyScreen
from tui.truth_talks import TALKS
from tui.widgets.difference_table import AccountLine, DifferenceTable, LastEvents, read_lines
from tui.widgets.line_pane import LinePane
from tui.widgets.order_table import OrderTable, order_detail

ASK_EVERY_NS = 2_000_000_000
ACCEPTABLE = ("R9", "R13")
"""Differences that end by taking the venue's word."""
EVENT_LINES = 11
"""Ten events and their title."""
_LEAST = 5
_THREE_LEAST = 15
"""Rows that three panes are worth having in."""


class DoneTable(OrderTable):
    """Orders that are over."""

    def show_done(self, scene: Scene) -> None:
        rows = scene.view.ended()
        title = line(("DONE TODAY", "title"), (f" {len(rows)}", "text-muted"))
        keys = self.shown(scene, [row.client_order_id for row in rows])
        self.paint_rows(scene, keys, title, empty=[note("Nothing ended yet today.")])


class OrdersScreen(ConsoleScreen):
    name_in_registry = "orders"

    def __init__(self) -> None:
        super().__init__()
        self.orders = OrderTable()
        self.differences = DifferenceTable()
        self.events = LastEvents(id="events")
        self.events.display = False
        self.done = DoneTable(id="done", done=True)
        self._account: tuple[AccountLine, ...] = ()
        self._polling = Polling("account", ASK_EVERY_NS, self._read)

    def _read(self, answer: bytes) -> None:
        self._account = read_lines(answer)

    def panes(self) -> list[LinePane]:
        return [self.orders, self.differences, self.events, self.done]

    def home_focus(self) -> Widget | None:
        return self.orders

    def plan(self, width: int, height: int) -> Plan:
        body = height - 3
        if body < _THREE_LEAST:  # Tab passes what has no room
            return over(
                width, height, "orders", body - _LEAST if body >= 2 * _LEAST else body, 0, text="differences"
            )
        top, middle = body * 2 // 5, max(5, body * 3 // 10)
        last = "done"
        if self.events.display:  # what explains a difference is worth more than what is over
            last, top = "events", max(3, min(top, body - middle - EVENT_LINES))
        return {
            "orders": Rect(0, 1, width, top),
            "differences": Rect(0, 1 + top, width, middle),
            last: Rect(0, 1 + top + middle, width, body - top - middle),
        }

    def draw(self, scene: Scene) -> None:
        self._polling.ask(self.console.operator, scene.now.mono_ns)
        self.orders.show(scene, scene.view.working())
        self.differences.show(scene, self._account)
        chosen = self.differences.chosen(scene)
        explained = chosen is not None and bool(chosen.events)
        if self.events.display is not explained:
            self.events.display = explained
            self.relayout()
        if chosen is not None:
            self.events.show(scene, chosen)
        self.done.show_done(scene)

    def open_cursor(self) -> None:
        """What the row asks of a person is asked with its typed word; an order of ours tells its story."""
        table, operator = self.table(), self.console.operator
        if isinstance(table, DifferenceTable):
            differs = table.under_cursor()
            if differs is not None and differs.row in ACCEPTABLE:
                rest = f"accept {differs.ticker or differs.about}"
                self.console.conversation.begin(TALKS["reconcile"](operator, self.console.clock, rest))
            return
        key = str(table.cursor_key) if isinstance(table, OrderTable) else ""
        row = self.console.view.orders.get(key)
        if row is not None and not row.external and row.state != "UNKNOWN":
            self.console.push_screen(WhyScreen(row.client_order_id))
        elif row is not None:
            now = self.console.clock()
            scene = self.console.operator.scene(now, self.size.width)
            operator.say(order_detail(scene, row), "text", now, 10**10)
            if row.state == "UNKNOWN":
                talk = TALKS["orders"](operator, self.console.clock, f"resolve {row.client_order_id}")
                self.console.conversation.begin(talk)
