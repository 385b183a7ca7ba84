"""Vetoes: what was said no to, why, and what it would have made."""

from __future__ import annotations

import msgspec

from tui.lines import Line, Span, line
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.tables import clean
from tui.veto_words import Veto, Vetoes, aligned, edge, made, trade, verdict, when, why, worth_rows
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, wrapped

ASK_EVERY_NS = 5_000_000_000
_WORTH_ROWS = 12


def read_vetoes(answer: bytes) -> Vetoes:
    """The answer with every text in it safe to draw."""
    return clean(msgspec.json.decode(answer, type=Vetoes))


def worth_lines(vetoes: Vetoes, width: int) -> list[Line]:
    """What all of them came to, and a row a reason."""
    rows = wrapped(verdict(vetoes), width - 2)
    return rows + [line(" ", text) for text in aligned(worth_rows(vetoes))]


class VetoTable(LiveTable):
    """A row a veto, the newest first."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column("when", " when", 13, 2, self._when, left=True),
                Column("card", " card", 8, 5, self._card, left=True),
                Column("market", " market", 20, 1, self._market, left=True, grow=True, width_max=24),
                Column("trade", "  trade", 24, 1, self._trade, left=True, grow=True, width_max=34),
                Column("edge", "edge", 8, 4, self._edge),
                Column("why", "  reason", 10, 1, self._why, left=True, grow=True, width_max=34),
                Column("made", "would make", 12, 1, self._made),
            ),
            id="vetoes",
        )
        self._rows: dict[Key, Veto] = {}

    def show(self, scene: Scene, vetoes: Vetoes, *, answered: bool) -> None:
        self._rows = {one.id: one for one in vetoes.vetoes}
        title = head("VETOES", f"{len(self._rows)}  times of the world")
        empty = [note("Nothing has been vetoed here yet." if answered else "Waiting for the engine.")]
        self.paint_rows(scene, list(self._rows), title, empty=empty)

    def _when(self, scene: Scene, key: Key) -> Span:
        return Span(" " + when(self._rows[key]), "text-muted")

    def _card(self, scene: Scene, key: Key) -> Span:
        return Span(" " + self._rows[key].id, "text-muted")

    def _market(self, scene: Scene, key: Key) -> Span:
        return Span(" " + self._rows[key].label)

    def _trade(self, scene: Scene, key: Key) -> Span:
        return Span("  " + trade(self._rows[key]))

    def _edge(self, scene: Scene, key: Key) -> Span:
        return Span(edge(self._rows[key]))

    def _why(self, scene: Scene, key: Key) -> Span:
        return Span("  " + why(self._rows[key]), "strong")

    def _made(self, scene: Scene, key: Key) -> Span:
        row = self._rows[key]
        role = "text-muted" if row.made is None or row.again else "gain" if row.made > 0 else "loss"
        return Span(made(row), role)


class VetoesScreen(ConsoleScreen):
    name_in_registry = "vetoes"

    def __init__(self) -> None:
        super().__init__()
        self.vetoes = VetoTable()
        self.detail = TextPane(id="detail")
        self._known = Vetoes()
        self._answered = False
        self._polling = Polling("vetoes", ASK_EVERY_NS, self._read)

    def panes(self) -> list[LinePane]:
        return [self.vetoes, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "vetoes", height, _WORTH_ROWS)

    def draw(self, scene: Scene) -> None:
        self._polling.ask(self.console.operator, scene.now.mono_ns)
        self.vetoes.show(scene, self._known, answered=self._answered)
        rows = worth_lines(self._known, self.detail.body_size[0]) if self._answered else []
        self.detail.show_text(rows, head("WORTH", "by reason"), dim=scene.dim)

    def _read(self, answer: bytes) -> None:
        self._answered, self._known = True, read_vetoes(answer)
