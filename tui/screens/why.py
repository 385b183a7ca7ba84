"""Why: the whole story of an order, a card or an entry of the journal, from what led to it to what became of
it, as the journal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui import recall
from tui.format import sanitise
from tui.lines import Line
from tui.recall import VALUE_MAX
from tui.scene import Scene, head, note
from tui.screens.text_screen import TextScreen
from tui.widgets.order_table import order_detail
from tui.widgets.text_pane import wrapped


class WhyScreen(TextScreen):
    name_in_registry = "why"

    def __init__(self, about: str | int) -> None:
        """``about``: an order of ours, empty for none, or the number of an entry."""
        super().__init__()
        self._about = about
        self._lines: tuple[str, ...] = ()
        self._said = "Reading the journal."

    def on_mount(self) -> None:
        super().on_mount()
        record, status = self.console.options.record, self.console.view.status
        if not self._about:
            self._said = "No order of ours and no entry is under the cursor."
        elif record is None or status is None:
            self._said = "There is no journal to read here."
        else:
            path = record.journal(status.world_id)
            self.run_worker(self._read(lambda: recall.story(path, self._about)), group="why")

    async def _read(self, story: Callable[[], tuple[str, ...]]) -> None:
        try:
            self._lines = await asyncio.to_thread(story)
        except recall.RecallError as error:
            self._said = str(error)
        self.console.repaint()

    def draw(self, scene: Scene) -> None:
        width = self.detail.body_size[0] - 1
        order = scene.view.orders.get(str(self._about))
        rows: list[Line] = []
        if order is not None:
            rows += [*wrapped(order_detail(scene, order), width, "strong"), ()]
        for text in self._lines:
            rows += wrapped(sanitise(text, VALUE_MAX), width, indent=_indent(text))
        if not self._lines:
            rows.append(note(self._said))
        self.detail.show_text(rows, head("WHY", self._named()))

    def _named(self) -> str:
        return f"entry {self._about}" if isinstance(self._about, int) else self._about


def _indent(text: str) -> int:
    """What the gate looked at stands below its order."""
    return min(12, 1 + len(text) - len(text.lstrip()))
