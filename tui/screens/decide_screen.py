"""A screen on which the selected card can be decided on, because it stands there whole."""

from __future__ import annotations

from tui.scene import Scene
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import is_reduced
from tui.widgets.card import Card

CARD_ROWS = 10
"""Its title, and a line for each of its rows."""


class DecideScreen(ConsoleScreen):
    """Subclasses place ``card`` and call ``show_card`` with every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.card = Card(id="card")

    def show_card(self, scene: Scene, *, compact: bool) -> None:
        """Draw the selected card, and let it arm only where all it cannot be approved without is there."""
        reduced = is_reduced(*self.size)
        self.card.show(scene, self.console.options.typed, compact=compact, reduced=reduced)
        whole = self.card.whole and scene.takeover is None
        if self.console.operator.arming.drawn(whole=whole, now_ns=scene.now.mono_ns):
            self.console.call_later(self.console.repaint)
