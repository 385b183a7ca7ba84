"""Positions and limits: what is held, what it can lose, how much of each limit is used, how the day went."""

from __future__ import annotations

from tui.chart import Chart
from tui.format import signed_dollars
from tui.lines import Line, line
from tui.market_answers import Equity, read_equity
from tui.market_charts import day_trace, drawdown, equity_chart
from tui.payoff import Payoff, payoff_lines, read_payoff
from tui.polling import Polling
from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect, over
from tui.widgets.chart_pane import ChartPane
from tui.widgets.limits import Limits
from tui.widgets.line_pane import LinePane
from tui.widgets.position_table import PositionTable, waiting
from tui.widgets.venue_table import VenueTable, rows_wanted, shows

_LEAST = 6
"""Rows of a pane that is worth having."""
_LIMITS_LEAST = 4
"""Rows of the limits beside the venues: those of the current market, and the fullest."""
ASK_EVERY_NS = 2_000_000_000
_BESIDE_WIDTH = 140
"""Columns of a terminal from which on the day's chart stands beside the limits."""
_CHART_WIDTH = 64
_CHART_ROWS = 12
"""Rows of the chart below the limits, where a narrow terminal is tall enough."""
_TALL = 3 * _CHART_ROWS
_CHART_TALL = 20
"""Rows of the chart beside the limits, where what is held leaves them."""


class PositionsScreen(ConsoleScreen):
    name_in_registry = "positions"

    def __init__(self) -> None:
        super().__init__()
        self.positions = PositionTable()
        self.limits = Limits(id="limits")
        self.venues = VenueTable()
        self.result = ChartPane(id="result")
        self._equity: Equity | None = None
        self._chart: Chart | None = None
        self._trace = ""
        self._polling = Polling("equity", ASK_EVERY_NS, self._heard)
        self._payoff: Payoff | None = None
        self._payoff_polling = Polling("payoff", ASK_EVERY_NS, self._heard_payoff)
        self._told = 0
        """Rows that the last payoff took."""
        self._wanted = (0, 0)

    def panes(self) -> list[LinePane]:
        return [self.positions, self.venues, self.limits, self.result]

    def plan(self, width: int, height: int) -> Plan:
        if width < _BESIDE_WIDTH:
            below = _CHART_ROWS if height - 3 >= _TALL else 0
            plan = self._tables(width, height - below)
            return plan | ({"result": Rect(0, height - 2 - below, width, below)} if below else {})
        plan = self._tables(width, height, _CHART_TALL)
        limits = plan["limits"]
        beside = limits.width - _CHART_WIDTH
        return plan | {
            "limits": limits._replace(width=beside),
            "result": limits._replace(x=beside, width=_CHART_WIDTH),
        }

    def _tables(self, width: int, height: int, wanted: int = 8) -> Plan:
        """The limits get so many rows where what is held leaves them."""
        body = height - 3
        held, venues = self._wanted
        if body < 2 * _LEAST:
            return over(width, height, "positions", (body + 1) // 2, 0, text="limits")
        limits = min(max(wanted, len(self.console.view.limits) + 4), body - max(_LEAST, held) - venues)
        limits = max(limits, _LIMITS_LEAST if venues else _LEAST)
        positions = body - limits - venues
        plan = {
            "positions": Rect(0, 1, width, positions),
            "limits": Rect(0, 1 + positions + venues, width, limits),
        }
        return plan | ({"venues": Rect(0, 1 + positions, width, venues)} if venues else {})

    def draw(self, scene: Scene) -> None:
        payoff = self._payoff_lines(scene)
        wanted = self._rows(scene)
        if wanted != self._wanted:
            self._wanted = wanted
            self.relayout()
        charted = "result" in self.plan(self.size.width, self.size.height - self.banded)
        if charted or not scene.view.sparing:
            self._polling.ask(self.console.operator, scene.now.mono_ns)
        self.positions.show(scene, payoff, "" if charted or scene.view.sparing else self._trace)
        if wanted[1]:
            self.venues.show(scene)
        self.limits.show(scene, compact=False)
        if charted:
            empty = "The day has no result yet."
            self.result.show_chart(
                self._chart, self._heading(), scene.now.mono_ns, empty=empty, dim=scene.dim
            )

    def _heading(self) -> Line:
        """The day's result as it is and how far it is below its best."""
        if self._equity is None or not self._equity.made:
            return line(("TODAY", "title"))
        made, down = self._equity.made[-1], drawdown(self._equity)
        role = "gain" if made > 0 else "loss" if made < 0 else "text"
        return line(
            ("TODAY", "title"),
            (" UTC ", "text-muted"),
            (signed_dollars(made), role),
            (f"  {signed_dollars(-down)} from its best", "text-muted"),
        )

    def _payoff_lines(self, scene: Scene) -> list[Line]:
        """What the event of the position under the cursor comes to, once the engine has told."""
        key = self.positions.cursor_key
        static = scene.view.statics.get(key) if isinstance(key, int) else None
        if static is None or key not in scene.view.positions:
            return []
        self._payoff_polling.ask(self.console.operator, scene.now.mono_ns, static.ticker)
        if self._payoff is None or self._payoff.ticker != static.ticker:
            return []  # on its way: its rows stay its own
        lines = payoff_lines(self._payoff, self.size.width)
        self._told = len(lines)
        return lines

    def _heard_payoff(self, answer: bytes) -> None:
        self._payoff = read_payoff(answer)

    def _heard(self, answer: bytes) -> None:
        self._equity = read_equity(answer)
        self._chart = equity_chart(self._equity)
        self._trace = day_trace(self._equity)

    def _rows(self, scene: Scene) -> tuple[int, int]:
        """What the panes above the limits would like: all that is held, and the venues where that says more
        than the status bar."""
        width = self.size.width
        held = 3 + len(scene.view.held()) + sum(map(len, waiting(scene, width))) + self._told
        return held, 1 + rows_wanted(scene, width) if shows(scene.view) else 0

    def open_cursor(self) -> None:
        key = self.positions.cursor_key
        if isinstance(key, int):
            self.console.show_market(key)
