"""A pane with a chart. It is drawn anew for a new chart and a new size, twice a second at most."""

from __future__ import annotations

import os

from tui.chart import Chart, draw, legend
from tui.lines import Line, line, width_of
from tui.scene import note
from tui.widgets.line_pane import LinePane

REDRAWN_NS = 500_000_000
_TITLE_EDGES = 6
"""Cells of a title's line besides its texts, less the pane's own edges."""
_WITHOUT_BRAILLE = frozenset({"linux", "vt100", "vt220"})
"""Terminals whose fonts lack the dots: lines are drawn in letters there."""


class ChartPane(LinePane):
    framed = True

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._dots = os.environ.get("TERM", "") not in _WITHOUT_BRAILLE
        self._chart: Chart | None = None
        self._rows: list[Line] = []
        self._body = (0, 0)
        self._drawn_ns = 0

    def show_chart(
        self, chart: Chart | None, title: Line, now_ns: int, *, empty: str = "", dim: bool = False
    ) -> None:
        """Show this chart, the same object for the same picture; without one, ``empty`` says why."""
        size = self.body_size
        due = now_ns - self._drawn_ns >= REDRAWN_NS
        if size != self._body or (chart is not self._chart and (due or self._chart is None)):
            self._chart, self._body, self._drawn_ns = chart, size, now_ns
            self._rows = draw(chart, *size, dots=self._dots) if chart is not None else []
        if self._rows and self._chart is not None:
            key = legend(self._chart, size[0] - width_of(title) - _TITLE_EDGES)
            self.paint(self._rows, title, key, dim=dim)
        else:
            why = empty if chart is None else "Too little room for a chart."
            self.paint([line(), note(why)] if size[1] > 1 else [note(why)], title, dim=dim)
