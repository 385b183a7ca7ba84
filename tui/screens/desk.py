"""Desk: the first screen. Decide on the left, watch on the right, or all of it in one column."""

from __future__ import annotations

from textual.widget import Widget

from tui.lines import line
from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import (
    HEIGHT_MIN,
    WIDTH_MIN,
    Needs,
    Plan,
    desk_plan,
    is_reduced,
    is_two_column,
)
from tui.widgets.alarms import Alarms
from tui.widgets.card import Card
from tui.widgets.fair_values import FairValues
from tui.widgets.limits import Limits, beat_lines
from tui.widgets.line_pane import LinePane
from tui.widgets.market_table import MarketTable
from tui.widgets.order_table import OrderTable
from tui.widgets.position_table import PositionTable, held_line, waiting
from tui.widgets.stop_table import StopTable, shows

REPLAN_NS = 1_000_000_000
_WAITING = 3
"""Lines of what waits on a venue that the pane of positions gets room for."""


class SizeNote(LinePane):
    """The sentence of a terminal that is too small."""

    bare = True

    def show(self, scene: Scene) -> None:
        text = f" Too small: {WIDTH_MIN}x{HEIGHT_MIN} shows the whole desk."
        self.paint([line((text, "near"))])


class DeskScreen(ConsoleScreen):
    name_in_registry = "desk"

    def __init__(self) -> None:
        super().__init__()
        self.card = Card(id="card")
        self.stop = StopTable(id="stop")
        self._stopped = False
        self.markets = MarketTable()
        self.fair = FairValues(id="fair")
        self.orders = OrderTable()
        self.positions = PositionTable()
        self.limits = Limits(id="limits")
        self.alarms = Alarms()
        self.size_note = SizeNote(id="size")
        self._needs = Needs(False, 0, 0, 0, 0, 0)
        self._planned_ns = 0

    def panes(self) -> list[LinePane]:
        return [
            self.card,
            self.stop,
            self.markets,
            self.fair,
            self.orders,
            self.positions,
            self.limits,
            self.alarms,
            self.size_note,
        ]

    def home_focus(self) -> Widget | None:
        return self.markets

    def plan(self, width: int, height: int) -> Plan:
        terminal = height + self.banded
        plan = desk_plan(width, terminal, self._needs, self.banded)
        if self._stopped:
            plan |= {"stop": plan.pop("card")} if "card" in plan else {}
        two = is_two_column(width, terminal)
        for pane in self.panes():
            pane.framed = two
            if isinstance(pane, MarketTable | OrderTable | PositionTable | Alarms):
                pane.can_focus = pane.id in plan
        return plan

    def draw(self, scene: Scene) -> None:
        self._follow(scene)
        width, height = self.size
        two, reduced = is_two_column(width, height), is_reduced(width, height)
        plan = desk_plan(width, height, self._needs, self.banded)
        if self._stopped:
            self.stop.show(scene)
        else:
            self.card.show(scene, self.console.options.typed, compact=not two, reduced=reduced)
        whole = self.card.whole and "card" in plan and not self._stopped and scene.takeover is None
        if self.console.operator.arming.drawn(whole=whole, now_ns=scene.now.mono_ns):
            self.console.call_later(self.console.repaint)
        if "limits" in plan:
            self.limits.show(scene, compact=plan["limits"].height <= 2)
        if reduced:
            self.size_note.show(scene)
            return
        self.markets.show(scene, scene.market_keys)
        if "fair" in plan:
            self.fair.show(scene, compact=plan["fair"].height < 8)
        compact = "positions" not in plan
        held = held_line(scene) if compact else ()
        self.orders.show(scene, scene.view.working(), compact=compact, foot=two, otherwise=held)
        if "positions" in plan:
            self.positions.show(scene)
        if "alarms" in plan:
            self.alarms.show(scene)

    def open_cursor(self) -> None:
        table = self.table()
        key = table.cursor_key if table is not None else None
        if isinstance(table, OrderTable):
            row = self.console.view.orders.get(str(key))
            key = row.key if row is not None else None
        if isinstance(key, int) and not isinstance(table, Alarms):
            self.console.show_market(key)

    def _follow(self, scene: Scene) -> None:
        """Give panes the heights their content needs: at most once a second, never under an arming card."""
        view, width = scene.view, self.size.width
        stopped = shows(scene)
        needs = Needs(
            stopped or scene.card is not None,
            0 if stopped or scene.card else self.card.idle_rows(scene, self.console.options.typed),
            view.limits_counted() + len(beat_lines(scene)),
            len(view.working()),
            len(view.held()) + min(_WAITING, sum(map(len, waiting(scene, width // 2)))),
            len(view.alarm_heads()),
        )
        if needs == self._needs and stopped == self._stopped:
            return
        now_ns = scene.now.mono_ns
        calm = not self.console.operator.arming.arming(scene.card, now_ns)
        same = needs.card == self._needs.card and stopped == self._stopped
        if same and not (calm and now_ns - self._planned_ns >= REPLAN_NS):
            return
        self._needs, self._stopped, self._planned_ns = needs, stopped, now_ns
        self.relayout()
