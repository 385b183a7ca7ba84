"""A pane painted line by line: it gets finished lines and writes only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.lines import CURSOR, Line, Span, changed_cells, ends, line, one_role, pad, width_of
from tui.theming import role_style

_STRIPS_MAX = 512
_MARK = "+" + CURSOR
_PLAIN = ""
"""Stands for the pane's own style among those of the roles."""


class Edges(NamedTuple):
    """What a pane's rule and box are drawn with."""

    rule: str
    side: str
    corners: str
    """Top left, top right, bottom left, bottom right."""
    role: str = "rule"


_SINGLE = Edges("─", "│", "┌┐└┘")
_EDGES = {"live": Edges("═", "║", "╔╗╚╝", "rule-live"), "demo": _SINGLE, "": _SINGLE}
_PAPER = Edges("╌", "┆", "┌┐└┘")


def edges_of(profile: str) -> Edges:
    """Real money, the demo and everything else can be told apart at a glance and without colour."""
    return _EDGES.get(profile, _PAPER)


def on_cursor(spans: Line) -> Line:
    """The same line as the selected row."""
    return tuple(Span(span.text, span.role + _MARK) for span in spans)


class LinePane(Widget):
    """Title, body lines and, when ``framed``, a box around them. Subclasses decide the lines."""

    framed = False
    edges = _SINGLE
    bare = False
    """No title line at all: status bar, message line, key hints."""

    def __init__(self, *, id: str, can_focus: bool = False) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self.can_focus = can_focus
        self._drawn: list[Line] = []
        self._strips: dict[Line, Strip] = {}
        self._styles_by_role: dict[str, Style] = {}

    @property
    def body_size(self) -> tuple[int, int]:
        """Width and height left for body lines."""
        edge = 2 if self.framed else 0
        title = 0 if self.bare else 1
        return max(0, self.size.width - edge), max(0, self.size.height - title - (1 if self.framed else 0))

    def paint(
        self, body: Sequence[Line], title: Line = (), right: Line = (), *, dim: bool = False, mark: str = ""
    ) -> None:
        """Show these lines; only rows that differ from the last paint are written.

        ``mark`` is the watermark of the last empty row; ``dim`` draws everything as stale.
        """
        width, height = self.body_size
        if width <= 0 or self.size.height <= 0:
            return
        rows = [pad(row, width) for row in body[:height]]
        blank = line(" " * width)
        if mark and height - len(rows) >= 2:
            rows += [blank] * (height - len(rows) - 1)
            rows.append(pad(line((mark.rjust(width - 1), "watermark")), width))
        rows += [blank] * (height - len(rows))
        if dim:
            rows = [one_role(row, "stale") for row in rows]
        lines = self._dressed(rows, title, right)
        self._show(lines)

    def _dressed(self, rows: list[Line], title: Line, right: Line) -> list[Line]:
        if self.bare:
            return rows
        width = self.size.width
        title = tuple(
            Span(s.text, "strong" if s.role == "title" and self.has_focus else s.role) for s in title
        )
        rule, side, corners, role = self.edges
        corner, end = (f"{corners[0]}{rule} ", f"{rule}{corners[1]}") if self.framed else (rule * 2 + " ", "")
        left = line((corner, role), *title, " ")
        tail = line((" ", role), *right, (" " + end if end else "", role)) if right else line((end, role))
        room = width - sum(len(s.text) for s in left) - sum(len(s.text) for s in tail)
        head = ends(left, tail, width) if room < 0 else line(*left, (rule * room, role), *tail)
        if not self.framed:
            return [head, *rows]
        edge = Span(side, role)
        boxed: list[Line] = [(edge, *row, edge) for row in rows]
        return [head, *boxed, line((corners[2] + rule * (width - 2) + corners[3], role))]

    def _show(self, lines: list[Line]) -> None:
        if len(lines) != len(self._drawn):
            self._drawn = lines
            self.refresh()
            return
        regions = []
        for y, (old, new) in enumerate(zip(self._drawn, lines, strict=True)):
            first, last = changed_cells(old, new)
            if last > first:
                regions.append(Region(first, y, last - first, 1))
        self._drawn = lines
        if regions:
            self.refresh(*regions)

    @property
    def text(self) -> str:
        """What the pane shows, without styles."""
        return "\n".join("".join(span.text for span in row) for row in self._drawn)

    # --- Line API -------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Past Textual's cache of styled lines: a pane has no border, padding or link for it to draw."""
        width = self.size.width
        strips = [self._strip(y, width) for y in crop.line_range]
        begin, end = crop.column_span
        return strips if end - begin == width else [strip.crop(begin, end) for strip in strips]

    def render_line(self, y: int) -> Strip:
        return self._strip(y, self.size.width)

    def _strip(self, y: int, width: int) -> Strip:
        if y >= len(self._drawn):
            return Strip.blank(width, self._style(_PLAIN))
        row = self._drawn[y]
        strip = self._strips.get(row)
        if strip is None:
            strip = Strip([Segment(text, self._style(role)) for text, role in row], width_of(row))
            strip = strip.adjust_cell_length(width, self._style(_PLAIN))
            if len(self._strips) >= _STRIPS_MAX:
                self._strips.clear()
            self._strips[row] = strip
        return strip

    def _style(self, role: str) -> Style:
        style = self._styles_by_role.get(role)
        if style is None:
            style = self._styles_by_role[role] = self._shown(self.rich_style + self._own_style(role))
        return style

    def _own_style(self, role: str) -> Style:
        """How the theme writes a role, on the cursor's row too."""
        theme = self.app.current_theme
        name, _, cursor = role.partition("+")
        style = role_style(theme, name) if name else Style.null()
        return style + role_style(theme, cursor) if cursor else style

    def _shown(self, style: Style) -> Style:
        """What the terminal can show of a style."""
        _, background = self.background_colors
        segments = [Segment(" ", style)]
        for one in self.get_line_filters():
            segments = one.apply(segments, background)
        return segments[0].style or style

    def notify_style_update(self) -> None:
        """Draw again where a role looks otherwise: Textual does so only where the pane itself does."""
        super().notify_style_update()
        before, self._styles_by_role = self._styles_by_role, {}
        self._strips.clear()
        if any(self._style(role) != style for role, style in before.items()):
            self.refresh()

    def on_resize(self) -> None:
        self._strips.clear()
