"""A pane of finished lines that can be scrolled: details, evidence, help."""

from __future__ import annotations

from collections.abc import Sequence

from tui.format import fit
from tui.lines import Line, line
from tui.widgets.line_pane import LinePane

_NAME_WIDTH = 14


class TextPane(LinePane):
    framed = True

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._top = 0
        self._count = 0

    @property
    def overflows(self) -> bool:
        """Whether there are more lines than are in sight."""
        return self._count > self.body_size[1]

    def scroll_text(self, step: int) -> None:
        """Move by lines, ends included."""
        last = max(0, self._count - self.body_size[1])
        self._top = min(last, max(0, self._top + step))

    def show_text(self, rows: Sequence[Line], title: Line, *, dim: bool = False) -> None:
        self._count = len(rows)
        self.scroll_text(0)
        height = self.body_size[1]
        right: Line = ()
        if self.overflows:
            right = line(
                (f"{self._top + 1}-{min(self._count, self._top + height)} of {self._count}", "text-muted")
            )
        self.paint(rows[self._top : self._top + height], title, right, dim=dim)


def wrapped(text: str, width: int, role: str = "text", indent: int = 1) -> list[Line]:
    """A sentence over as many lines as it needs."""
    rows: list[str] = []
    current = ""
    for word in text.split():
        word = fit(word, width - indent).rstrip() if len(word) > width - indent else word
        if current and len(current) + 1 + len(word) > width - indent:
            rows.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    rows.append(current)
    return [line(" " * indent, (row, role)) for row in rows]


def pair(name: str, *value: str | tuple[str, str]) -> Line:
    """``name`` in its column, then the value."""
    return line((f" {name:{_NAME_WIDTH}}", "text-muted"), *value)


def told(name: str, text: str, width: int) -> list[Line]:
    """``pair`` with a sentence over as many lines as it needs, below its own beginning."""
    first, *rest = wrapped(text, width - _NAME_WIDTH - 1, indent=0)
    return [pair(name, *first), *(line(" " * (_NAME_WIDTH + 1), *row) for row in rest)]
