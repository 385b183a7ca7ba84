"""The full-width band below the status bar: the gravest of what stands, until it is over."""

from __future__ import annotations

from collections.abc import Sequence

from tui.format import fit
from tui.lines import Line, line
from tui.scene import WIDE_WIDTH
from tui.standing import Standing
from tui.widgets.line_pane import LinePane


def band_line(stands: Sequence[Standing], width: int) -> Line:
    """The first of what stands, its way out at the right end, and how much stands behind it."""
    first, *behind = stands
    others = [other for other in behind if not other.calm]
    more = f"+{len(others)}" + (f" {others[0].word}" if width >= WIDE_WIDTH else "") if others else ""
    right = "   ".join(part for part in (first.way, more) if part)
    room = width - len(right) - 2 if right else width
    text = fit(f" {first.text}", room) + (f" {right} " if right else "")
    return line((fit(text, width), "text-muted" if first.calm else "band"))


class Band(LinePane):
    bare = True

    def show(self, stands: Sequence[Standing]) -> None:
        self.paint([band_line(stands, self.size.width)])
