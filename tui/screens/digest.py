"""Since you left: what happened on the desk while nobody looked. No card arms until it is left."""

from __future__ import annotations

from tui.digest_words import Figures, away, digest_lines
from tui.lines import Line, line
from tui.scene import Scene, head, note
from tui.screens.text_screen import TextScreen


class DigestScreen(TextScreen):
    name_in_registry = "digest"

    def draw(self, scene: Scene) -> None:
        told, status = self.console.returning.told, scene.view.status
        if told is None or status is None:
            rows = [note("Nothing to catch up on: this console has been told all that happened.")]
            self.detail.show_text(rows, head("SINCE YOU LEFT"))
            return
        figures = Figures(status.cash, status.today_pnl, status.open_pnl)
        width = self.detail.body_size[0] - 2
        unread = self.console.returning.unread
        rows = [line(" ", (away(told.since, told.wall_ms), "strong"))]
        leaves = f"Cards arm once {scene.keymap.name('back')} has left this page."
        rows += [line(" ", (leaves, "near"))] if unread else []
        found: list[Line] = [
            line(" ", (text, role)) for text, role in digest_lines(told.since, told.digest, figures, width)
        ]
        self.detail.show_text([*rows, line(""), *found], head("SINCE YOU LEFT"), dim=scene.dim)
