"""Funnel: how far each market gets on its way to a proposal, stage by stage, and what stops the others."""

from __future__ import annotations

import msgspec

from tui.format import signed_tenths, tenths
from tui.lines import Line, Span, line
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.tables import clean
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, wrapped

ASK_EVERY_NS = 1_000_000_000
_DETAIL_LEAST = 8
MEANS = {
    "seen": "on this desk; nothing is known that prices what it settles on",
    "mapped": "what it settles on is known, and has a model that gave no price",
    "modelled": "priced once; an input, its book or a book of its event is not fresh enough",
    "fresh": "priced now; there is no edge, or too little of one",
    "edge": "worth an entry; something holds it back",
    "gated": "nothing holds it back; a card like it ended just now, or there are too many cards",
    "proposed": "a card waits, or an order of ours is there",
}


class Stop(msgspec.Struct, frozen=True):
    """See ``STOPS`` in ``core/control/queries/funnel.py``."""

    why: str
    markets: int
    examples: tuple[str, ...]


class Stage(msgspec.Struct, frozen=True):
    """See ``FUNNEL`` there."""

    stage: str
    reached: int
    here: int
    reasons: tuple[Stop, ...]


def read_funnel(answer: bytes) -> tuple[Stage, ...]:
    """The answer with every text in it safe to draw."""
    return tuple(clean(stage) for stage in msgspec.json.decode(answer, type=tuple[Stage, ...]))


class FunnelTable(LiveTable):
    """A row a stage, and one a reason below it."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column(
                    "what",
                    " stage, and what stops markets there",
                    40,
                    1,
                    self._what,
                    left=True,
                    grow=True,
                    width_max=110,
                ),
                Column("here", "stop here", 11, 1, self._here),
                Column("reached", "came so far", 13, 1, self._reached),
            ),
            id="funnel",
        )
        self._rows: dict[Key, Stage | Stop] = {}

    def row(self) -> tuple[str, Stage | Stop] | None:
        """The row under the cursor with its stage."""
        key = self.cursor_key
        found = self._rows.get(key) if key is not None else None
        return (str(key[0]), found) if isinstance(key, tuple) and found is not None else None

    def show(self, scene: Scene, stages: tuple[Stage, ...]) -> None:
        self._rows = {}
        for stage in stages:
            self._rows[(stage.stage, "")] = stage
            self._rows |= {(stage.stage, stop.why): stop for stop in stage.reasons}
        every = stages[0].reached if stages else 0
        title = line(("FUNNEL", "title"), (f" {every} markets", "text-muted"))
        empty = [note("Waiting for the engine.")]
        self.paint_rows(scene, list(self._rows), title, empty=empty)

    def _what(self, scene: Scene, key: Key) -> Span:
        found = self._rows[key]
        if isinstance(found, Stage):
            return Span(f" {found.stage.upper()}", "title")
        return Span(f"   {found.why}", "text")

    def _here(self, scene: Scene, key: Key) -> Span:
        found = self._rows[key]
        if isinstance(found, Stage):
            return Span(str(found.here) if found.here else "", "strong")
        return Span(str(found.markets), "text-muted")

    def _reached(self, scene: Scene, key: Key) -> Span:
        found = self._rows[key]
        return Span(str(found.reached) if isinstance(found, Stage) else "", "strong")


def stop_lines(scene: Scene, stop: Stop, width: int) -> list[Line]:
    """The markets behind one reason."""
    rows = wrapped(stop.why, width)
    keys = {static.ticker: key for key, static in scene.view.statics.items()}
    for ticker in stop.examples:
        market = scene.view.markets.get(keys.get(ticker, 0))
        if market is None:
            rows.append(line(f"   {ticker}"))
            continue
        rows.append(
            line(
                f"   {scene.view.label(market.key):28.28}",
                (f" fair {tenths(market.fair):>6}", "fair"),
                (f"   edge {market.edge_word or signed_tenths(market.edge):>6}", "text-muted"),
            )
        )
    left = stop.markets - len(stop.examples)
    return [*rows, note(f"and {left} more")] if left else rows


class FunnelScreen(ConsoleScreen):
    """Arrows choose a stage or a reason, whose markets stand below; Enter opens the first of them."""

    name_in_registry = "funnel"
    pages_text = True

    def __init__(self) -> None:
        super().__init__()
        self.stages = FunnelTable()
        self.detail = TextPane(id="detail")
        self._known: tuple[Stage, ...] = ()
        self._polling = Polling("funnel", ASK_EVERY_NS, self._answered)

    def panes(self) -> list[LinePane]:
        return [self.stages, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "funnel", height, max(_DETAIL_LEAST, (height - 3) // 3))

    def draw(self, scene: Scene) -> None:
        self._polling.ask(self.console.operator, scene.now.mono_ns)
        self.stages.show(scene, self._known)
        found, width = self.stages.row(), self.detail.body_size[0]
        if found is None:
            self.detail.show_text([], head("MARKETS"), dim=scene.dim)
        elif isinstance(found[1], Stop):
            self.detail.show_text(
                stop_lines(scene, found[1], width), head("MARKETS", found[0]), dim=scene.dim
            )
        else:
            rows = wrapped(MEANS.get(found[0], ""), width, "text-muted")
            self.detail.show_text(rows, head("STAGE", found[0]), dim=scene.dim)

    def open_cursor(self) -> None:
        found = self.stages.row()
        tickers = found[1].examples if found is not None and isinstance(found[1], Stop) else ()
        for key, static in self.console.view.statics.items():
            if static.ticker in tickers[:1]:
                self.console.show_market(key)
                return
        now = self.console.clock()
        self.console.operator.say("Enter opens a market that a reason stops: none is here", "text-muted", now)

    def _answered(self, answer: bytes) -> None:
        self._known = read_funnel(answer)
