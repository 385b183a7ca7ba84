"""Journal: what happened and was decided, newest last; Enter shows one entry whole."""

from __future__ import annotations

from core.control.tables.account import JournalRow
from tui.format import utc
from tui.lines import Line, Span, line
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, pair, wrapped

_DETAIL_ROWS = 7


def _row(scene: Scene, key: Key) -> JournalRow | None:
    rows = scene.view.journal
    if not rows or not isinstance(key, int):
        return None
    # Sequence numbers may have gaps, so the place is only a first guess.
    place = min(len(rows) - 1, max(0, key - rows[0].seq))
    if rows[place].seq == key:
        return rows[place]
    return next((row for row in rows if row.seq == key), None)


def _seq(scene: Scene, key: Key) -> Span:
    return Span(str(key), "text-muted")


def _time(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span("" if row is None else "  " + utc(row.wall_ms), "text-muted")


def _kind(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span("" if row is None else "  " + row.kind, "strong")


def _text(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span("" if row is None else "  " + row.text)


COLUMNS = (
    Column("seq", "seq", 8, 3, _seq),
    Column("time", "  UTC", 10, 2, _time, left=True),
    Column("kind", "  event", 18, 1, _kind, left=True),
    Column("text", "  what", 30, 1, _text, left=True, grow=True, width_max=400),
)


def entry_lines(row: JournalRow, width: int) -> list[Line]:
    rows = [
        pair("event", (row.kind, "strong"), (f"   seq {row.seq}", "text-muted")),
        pair("when", utc(row.wall_ms, "%Y-%m-%d %H:%M:%SZ")),
    ]
    if row.order_id:
        rows.append(
            pair("order", row.order_id, ("   pmconsole journal why ORDER tells its story", "text-muted"))
        )
    return rows + wrapped(row.text, width - 2)


class JournalScreen(ConsoleScreen):
    name_in_registry = "journal"

    def __init__(self) -> None:
        super().__init__()
        self.entries = LiveTable(COLUMNS, id="journal")
        self.detail = TextPane(id="detail")
        self._open = False

    def panes(self) -> list[LinePane]:
        return [self.entries, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "journal", height, _DETAIL_ROWS if self._open else 0)

    def draw(self, scene: Scene) -> None:
        keys = [row.seq for row in scene.view.journal]
        last = self.entries.keys[-1] if self.entries.keys else None
        if keys and self.entries.cursor_key == last:
            self.entries.point_at(keys[-1])
        title = line(("JOURNAL", "title"), (f" {len(keys)} entries since attach", "text-muted"))
        self.entries.paint_rows(
            scene, keys, title, empty=[note("Nothing journalled since this console attached.")]
        )
        row = _row(scene, self.entries.cursor_key)
        if self._open and row is not None:
            self.detail.show_text(entry_lines(row, self.detail.body_size[0]), head("ENTRY"))

    def open_cursor(self) -> None:
        self._open = not self._open
        self.relayout()
