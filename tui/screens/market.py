"""Market detail: ladder and tape, prices against fair value, depth, and all that is known of the market.

Levels, trades and the past are asked for while the screen is open; no frame carries them.
"""

from __future__ import annotations

from core.control.tables.orders import OrderRow
from tui.chart import Chart
from tui.format import cents
from tui.lines import line
from tui.market_answers import Near, read_history, read_market
from tui.market_charts import depth_chart, price_chart
from tui.market_words import market_lines, tape_lines
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import TWO_HEIGHT, TWO_WIDTH, Plan, Rect
from tui.widgets.chart_pane import ChartPane
from tui.widgets.ladder import Ladder
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import TextPane

NEAR_EVERY_NS = 500_000_000
PAST_EVERY_NS = 2_000_000_000
_LADDER_WIDTH = 40
"""Cells of the ladder in a small terminal; a large one gives it its sums too."""
_LADDER_WIDE = 54
_WORDS_LEAST = 62
"""Cells of the text beside which depth has a chart of its own."""
_DEPTH_LEAST = 40


def market_plan(width: int, height: int) -> Plan:
    """Ladder and charts above the text; in a large terminal the ladder and the tape have a column."""
    body = max(0, height - 3)
    if width < TWO_WIDTH or height < TWO_HEIGHT:
        top = max(6, body * 11 // 20)
        ladder = min(_LADDER_WIDTH, width // 2)
        return {
            "ladder": Rect(0, 1, ladder, top),
            "prices": Rect(ladder, 1, width - ladder, top),
            "detail": Rect(0, 1 + top, width, body - top),
        }
    tape = body // 3
    right = width - _LADDER_WIDE
    prices = body * 2 // 5
    depth = min(right // 2, right - _WORDS_LEAST) if right >= _WORDS_LEAST + _DEPTH_LEAST else 0
    plan = {
        "ladder": Rect(0, 1, _LADDER_WIDE, body - tape),
        "tape": Rect(0, 1 + body - tape, _LADDER_WIDE, tape),
        "prices": Rect(_LADDER_WIDE, 1, right, prices),
        "detail": Rect(_LADDER_WIDE, 1 + prices, right - depth, body - prices),
    }
    if depth:
        plan["depth"] = Rect(width - depth, 1 + prices, depth, body - prices)
    return plan


class MarketScreen(ConsoleScreen):
    """Arrows move along the ladder, Left and Right to the markets beside this one, PgUp and PgDn read."""

    name_in_registry = "market"
    pages_text = True

    def __init__(self, key: int) -> None:
        super().__init__()
        self.key = key
        self.ladder = Ladder()
        self.ladder.framed = True
        self.prices = ChartPane(id="prices")
        self.depth = ChartPane(id="depth")
        self.tape = TextPane(id="tape")
        self.detail = TextPane(id="detail")
        self._near: Near | None = None
        self._price_chart: Chart | None = None
        self._depth_chart: Chart | None = None
        self._near_polling = Polling("market", NEAR_EVERY_NS, self._heard_near)
        self._past_polling = Polling("history", PAST_EVERY_NS, self._heard_past)

    @property
    def cursor_price(self) -> int | None:
        """Price of YES under the ladder's cursor, in ten-thousandths of a dollar."""
        return self.ladder.price

    @property
    def answered(self) -> bool:
        """Whether the engine has told of the market that is shown, and with it what is held back."""
        return self._near is not None

    def quarantined(self, step: int) -> str:
        """What a ticket begins with where an order is held back as too good: all of it but the size."""
        found = self._near.quarantine if self._near is not None else None
        if found is None:
            return ""
        return f"{found.outcome.lower()} @ {cents(found.price, step)} {found.style} "

    def order_here(self) -> OrderRow | None:
        """Our newest order under the ladder's cursor."""
        return self.ladder.order_here()

    def panes(self) -> list[LinePane]:
        return [self.ladder, self.prices, self.tape, self.depth, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return market_plan(width, height)

    def step(self, by: int, scene: Scene) -> None:
        """Look at the market that many places further in the order of the desk."""
        keys = scene.market_keys
        if self.key in keys:
            self.key = keys[(keys.index(self.key) + by) % len(keys)]
            self._near = self._price_chart = self._depth_chart = None
            self.detail.scroll_text(-(10**6))

    def draw(self, scene: Scene) -> None:
        static = scene.view.statics.get(self.key)
        if static is not None:
            for polling in (self._near_polling, self._past_polling):
                polling.ask(self.console.operator, scene.now.mono_ns, static.ticker)
        plan = self.plan(self.size.width, self.size.height - self.banded)
        now_ns, dim = scene.now.mono_ns, scene.dim
        label, near = scene.view.named(self.key), self._near
        self.ladder.show(scene, self.key, near)
        empty = "Waiting for the first prices."
        self.prices.show_chart(self._price_chart, head("PRICES"), now_ns, empty=empty, dim=dim)
        width = self.detail.body_size[0]
        rows = market_lines(scene, self.key, width, near)
        tape = tape_lines(near.trades, scene.view.step(self.key)) if near is not None else [note("Waiting.")]
        if "depth" in plan:
            nobody = "Nobody is in the book." if near is not None else empty
            self.depth.show_chart(self._depth_chart, head("DEPTH"), now_ns, empty=nobody, dim=dim)
        if "tape" in plan:
            self.tape.show_text(tape, head("TRADES"), dim=dim)
        else:
            rows += [(), line((" trades", "title")), *tape]
        self.detail.show_text(rows, head("MARKET", label), dim=dim)

    def _heard_near(self, answer: bytes) -> None:
        near = read_market(answer)
        if self._about(near.ticker):
            self._near = near
            self._depth_chart = depth_chart(near)

    def _heard_past(self, answer: bytes) -> None:
        past = read_history(answer)
        if self._about(past.ticker):
            self._price_chart = price_chart(past)

    def _about(self, ticker: str) -> bool:
        """Whether an answer is about the market that is shown now: it may be about the one before."""
        static = self.console.view.statics.get(self.key)
        return static is not None and static.ticker == ticker
