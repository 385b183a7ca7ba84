"""Why: the whole story of one order, from what led to it to what became of it, as the journal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui import recall
from tui.format import sanitise
from tui.lines import Line
from tui.recall import VALUE_MAX
from tui.scene import Scene, head, note
from tui.screens.text_screen import TextScreen
from tui.widgets.text_pane import wrapped


class WhyScreen(TextScreen):
    name_in_registry = "why"

    def __init__(self, order_id: str) -> None:
        super().__init__()
        self._order_id = order_id
        self._lines: tuple[str, ...] = ()
        self._said = "Reading the journal."

    def on_mount(self) -> None:
        super().on_mount()
        record, status = self.console.options.record, self.console.view.status
        if not self._order_id:
            self._said = "No order of ours is under the cursor."
        elif record is None or status is None:
            self._said = "There is no journal to read here."
        else:
            path = record.journal(status.world_id)
            self.run_worker(self._read(lambda: recall.story(path, self._order_id)), group="why")

    async def _read(self, story: Callable[[], tuple[str, ...]]) -> None:
        try:
            self._lines = await asyncio.to_thread(story)
        except recall.RecallError as error:
            self._said = str(error)
        self.console.repaint()

    def draw(self, scene: Scene) -> None:
        width = self.detail.body_size[0] - 1
        rows: list[Line] = []
        for text in self._lines:
            rows += wrapped(sanitise(text, VALUE_MAX), width, indent=_indent(text))
        self.detail.show_text(rows or [note(self._said)], head("WHY", self._order_id))


def _indent(text: str) -> int:
    """What the gate looked at stands below its order."""
    return min(12, 1 + len(text) - len(text.lstrip()))
