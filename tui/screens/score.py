"""Score: what each model was worth on the events that have settled, and how far what it said was so."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from tui.chart import Chart, Run, Series, Unit
from tui.lines import Line, Span, line
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.score_words import (
    FIGURES,
    PLOT_WIDTH,
    Bin,
    Score,
    crps,
    facts,
    mark,
    pit_histogram,
    reliability,
    verdict_role,
    with_error,
)
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.screens.vetoes import read_vetoes, worth_lines
from tui.tables import clean
from tui.veto_words import Vetoes
from tui.widgets.chart_pane import ChartPane
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, wrapped

ASK_EVERY_NS = 5_000_000_000
"""It changes when an event settles."""
_DETAIL_LEAST = 10
_BESIDE = PLOT_WIDTH + 70
"""Columns from which both plots stand side by side."""
_LEFT_WIDTH = PLOT_WIDTH + 26
_CHART_WIDTH, _CHART_LEAST = 56, 18
_CHARTED = 160
"""Columns from which the reliability diagram stands beside the text."""
_WHOLE = 10_000


def read_scores(answer: bytes) -> tuple[Score, ...]:
    """The answer with every text in it safe to draw."""
    return tuple(clean(score) for score in msgspec.json.decode(answer, type=tuple[Score, ...]))


class ScoreTable(LiveTable):
    """A row a series and model."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column(
                    "series", " series", 21, 1, self._series, left=True, grow=True, width_max=26, ends=True
                ),
                Column("model", "  model", 15, 1, self._model, left=True, grow=True, width_max=26),
                Column("days", "days", 6, 1, self._days),
                Column("crps", "CRPS", 7, 4, self._crps),
                Column("alone", "loss: model", 13, 3, self._alone),
                Column("market", "market", 13, 3, self._market),
                Column("pooled", "pooled", 13, 5, self._pooled),
                Column("gain", "gain", 14, 1, self._gain),
                Column("weight", "weight", 8, 2, self._weight),
                Column("verdict", "  verdict", 14, 1, self._verdict, left=True),
            ),
            id="scores",
        )
        self._rows: dict[Key, Score] = {}

    def row(self) -> Score | None:
        """The record under the cursor."""
        return self._rows.get(self.cursor_key) if self.cursor_key is not None else None

    def show(self, scene: Scene, scores: tuple[Score, ...], *, answered: bool) -> None:
        self._rows = {(one.series, one.model): one for one in scores}
        detail = f" {len(scores)} records; log loss of an event, nats: lower is better"
        title = line(("SCORE", "title"), (detail, "text-muted"))
        nothing = "No event that was forecast here has settled yet."
        empty = [note(nothing if answered else "Waiting for the engine.")]
        if self.cursor_key is None and self._rows:
            self.point_at(next(iter(self._rows)))
        self.paint_rows(scene, list(self._rows), title, empty=empty)

    def _series(self, scene: Scene, key: Key) -> Span:
        return Span(" " + self._rows[key].series)

    def _model(self, scene: Scene, key: Key) -> Span:
        return Span("  " + mark(self._rows[key]) + self._rows[key].model, "text-muted")

    def _days(self, scene: Scene, key: Key) -> Span:
        return Span(str(self._rows[key].days))

    def _crps(self, scene: Scene, key: Key) -> Span:
        return Span(crps(self._rows[key]))

    def _alone(self, scene: Scene, key: Key) -> Span:
        one = self._rows[key]
        return Span(with_error(one.log_loss_model, one.log_loss_model_se, 2), "text-muted")

    def _market(self, scene: Scene, key: Key) -> Span:
        one = self._rows[key]
        return Span(with_error(one.log_loss_market, one.log_loss_market_se, 2), "text-muted")

    def _pooled(self, scene: Scene, key: Key) -> Span:
        one = self._rows[key]
        return Span(with_error(one.log_loss_pooled, one.log_loss_pooled_se, 2), "fair")

    def _gain(self, scene: Scene, key: Key) -> Span:
        one = self._rows[key]
        return Span(with_error(one.gain, one.gain_se, signed=True), verdict_role(one.verdict))

    def _weight(self, scene: Scene, key: Key) -> Span:
        return Span(f"{self._rows[key].weight:.2f}")

    def _verdict(self, scene: Scene, key: Key) -> Span:
        one = self._rows[key]
        return Span(f"  {one.verdict}", verdict_role(one.verdict))


def detail_lines(score: Score, width: int) -> list[Line]:
    """One record: why its verdict, and both plots, beside each other where there is room."""
    rows: list[Line] = []
    for at, text in enumerate(facts(score)):
        rows += wrapped(text, width - 2, verdict_role(score.verdict) if at == 0 else "text")
    rows += (*wrapped(FIGURES, width - 2, "text-muted"), ())
    left = ["how often contracts paid, by what was said of them", *reliability(score.bins)]
    right = ["where outcomes came in the model's law", *pit_histogram(score.pit)] if score.pit else []
    if width < _BESIDE:
        return rows + [line(f" {text}") for text in (*left, *([""] if right else []), *right)]
    for one, other in itertools.zip_longest(left, right, fillvalue=""):
        rows.append(line(f" {one:{_LEFT_WIDTH}}", f" {other}"))
    return rows


def reliability_chart(bins: Sequence[Bin]) -> Chart | None:
    """How often contracts paid by what was said of them, with the interval of what pays, against the line on
    which both are the same; ``None`` where nothing was said yet."""
    if not bins:
        return None

    def points(name: str, marker: str, role: str, shares: Sequence[tuple[float, float]]) -> Series:
        marks = sorted((round(said * _WHOLE), round(share * _WHOLE)) for said, share in shares)
        return Series(name, marker, role, (Run(*map(list, zip(*marks, strict=True))),), joined=False)

    diagonal = range(0, _WHOLE + 1, _WHOLE // 100)
    ends = [(one.said, end) for one in bins for end in (one.paid_low, one.paid_high)]
    series = (
        Series("as said", ".", "text-muted", (Run(diagonal, diagonal),)),
        points("95 %", "-", "text-muted", ends),
        points("paid", "o", "strong", [(one.said, one.paid) for one in bins]),
    )
    return Chart(series, Unit.PERCENT, Unit.PERCENT, (0, _WHOLE), (0, _WHOLE))


class ScoreScreen(ConsoleScreen):
    """Arrows choose a record, PgUp and PgDn read it."""

    name_in_registry = "score"
    pages_text = True

    def __init__(self, series: str = "", station: str = "") -> None:
        super().__init__()
        self._wanted = series, station
        self.scores = ScoreTable()
        self.detail = TextPane(id="detail")
        self.reliability = ChartPane(id="reliability")
        self._drawn: tuple[Score | None, Chart | None] = None, None
        """The record whose diagram was made last, with it."""
        self._known: tuple[Score, ...] = ()
        self._answers = 0
        self._polling = Polling("score", ASK_EVERY_NS, self._answered)
        self._vetoes: Vetoes | None = None
        self._veto_polling = Polling("vetoes", ASK_EVERY_NS, self._heard_of_vetoes)

    def panes(self) -> list[LinePane]:
        return [self.scores, self.detail, self.reliability]

    def plan(self, width: int, height: int) -> Plan:
        rows = min(2 + max(1, len(self._known)), max(5, (height - 3) // 3))
        plan = over(width, height, "scores", rows, _DETAIL_LEAST)
        detail = plan.get("detail")
        if detail is None or width < _CHARTED or detail.height < _CHART_LEAST:
            return plan
        beside = detail.width - _CHART_WIDTH
        return plan | {
            "detail": detail._replace(width=beside),
            "reliability": detail._replace(x=beside, width=_CHART_WIDTH),
        }

    def draw(self, scene: Scene) -> None:
        for polling in (self._polling, self._veto_polling):
            polling.ask(self.console.operator, scene.now.mono_ns)
        if any(self._wanted) and self._known:
            series, station = self._wanted
            own = [one for one in self._known if one.series == series]
            of_place = [one for one in self._known if station and one.series.startswith(f"{station} ")]
            for found in (own or of_place)[:1]:
                self.scores.point_at((found.series, found.model))
            self._wanted = "", ""
        self.scores.show(scene, self._known, answered=self._answers > 0)
        score = self.scores.row()
        width = self.detail.body_size[0]
        rows = detail_lines(score, width) if score is not None else []
        if self._vetoes is not None:
            rows += [(), line((" what vetoes were worth", "title"), ("   :vetoes lists them", "text-muted"))]
            rows += worth_lines(self._vetoes, width)
        about = f"{score.series} {mark(score)}{score.model}" if score is not None else ""
        self.detail.show_text(rows, head("RECORD", about), dim=scene.dim)
        if score is not self._drawn[0]:
            self._drawn = score, reliability_chart(score.bins) if score is not None else None
        nothing = "Nothing that was said has settled yet."
        title, now_ns = head("RELIABILITY"), scene.now.mono_ns
        self.reliability.show_chart(self._drawn[1], title, now_ns, empty=nothing, dim=scene.dim)

    def _answered(self, answer: bytes) -> None:
        self._answers += 1
        before, self._known = len(self._known), read_scores(answer)
        if len(self._known) != before:
            self.relayout()

    def _heard_of_vetoes(self, answer: bytes) -> None:
        self._vetoes = read_vetoes(answer)
