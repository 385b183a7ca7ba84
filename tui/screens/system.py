"""System: what holds when the engine does not, its processes and delays, and how far rate limits are used."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.lines import Line, line
from tui.polling import Polling
from tui.scene import WIDE_WIDTH, Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.system_words import Section, System, remarks, section_lines, sections
from tui.tables import clean
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import TextPane, wrapped

ASK_EVERY_NS = 2_000_000_000
_LEFT_SECTIONS = 3
"""So many stand beside the others on a wide terminal."""


def read_system(answer: bytes) -> System:
    """The answer with every text in it safe to draw."""
    return clean(msgspec.json.decode(answer, type=System))


def drawn(found: Sequence[Section], width: int) -> list[Line]:
    """Their lines, one empty line between two."""
    rows: list[Line] = []
    for section in found:
        rows += [line("")] if rows else []
        rows += [line(" ", (text, role)) for text, role in section_lines(section, width - 2)]
    return rows


class SystemScreen(ConsoleScreen):
    name_in_registry = "system"

    def __init__(self) -> None:
        super().__init__()
        self.detail = TextPane(id="detail")
        self.used = TextPane(id="used")
        self._known: System | None = None
        self._before: System | None = None
        self._polling = Polling("system", ASK_EVERY_NS, self._read)

    def panes(self) -> list[LinePane]:
        return [self.detail, self.used]

    def plan(self, width: int, height: int) -> Plan:
        body = height - 3
        if width < WIDE_WIDTH:
            return {"detail": Rect(0, 1, width, body)}
        half = width // 2
        return {"detail": Rect(0, 1, half, body), "used": Rect(half, 1, width - half, body)}

    def draw(self, scene: Scene) -> None:
        self._polling.ask(self.console.operator, scene.now.mono_ns)
        if self._known is None:
            self.detail.show_text([note("Waiting for the engine.")], head("SYSTEM"))
            self.used.show_text([], head("USE"))
            return
        found, width = sections(self._known, self._before), self.detail.body_size[0]
        own = found[:_LEFT_SECTIONS] if scene.wide else found
        said = [row for text, role in remarks(self._known) for row in wrapped(text, width - 1, role)]
        self.detail.show_text([*said, line(""), *drawn(own, width)], head("SYSTEM"), dim=scene.dim)
        self.used.show_text(drawn(found[len(own) :], self.used.body_size[0]), head("USE"), dim=scene.dim)

    def _read(self, answer: bytes) -> None:
        self._before, self._known = self._known, read_system(answer)
