"""Journal: what happened and was decided, newest last; a filter, older pages from the file, entries whole."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from pathlib import Path

from core.control.tables.account import JournalRow
from tui import recall
from tui.format import utc
from tui.journal_filter import Filter, parse
from tui.lines import Line, Span, line
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.tables import Now
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, pair, wrapped

ROWS_MAX = 8_000
"""Entries kept here; beyond it the oldest go and would be read again."""
_DETAIL_LEAST = 7


class JournalTable(LiveTable):
    """A row an entry, by its number. ``rows`` are those that are known, oldest first."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column("seq", "seq", 8, 3, lambda scene, key: Span(str(key), "text-muted")),
                Column("time", "  UTC", 10, 2, self._time, left=True),
                Column("kind", "  event", 18, 1, self._kind, left=True),
                Column("text", "  what", 30, 1, self._text, left=True, grow=True, width_max=400),
            ),
            id="journal",
        )
        self.rows: dict[Key, JournalRow] = {}

    def _time(self, scene: Scene, key: Key) -> Span:
        return Span("  " + utc(self.rows[key].wall_ms), "text-muted")

    def _kind(self, scene: Scene, key: Key) -> Span:
        return Span("  " + self.rows[key].kind, "strong")

    def _text(self, scene: Scene, key: Key) -> Span:
        return Span("  " + self.rows[key].text)


def entry_lines(row: JournalRow, fields: tuple[tuple[str, str], ...], width: int, why: str) -> list[Line]:
    """One entry whole, as far as it is known: its own words, then every value it was written with. ``why``:
    the key that tells its story."""
    said = [
        pair("event", (row.kind, "strong"), (f"   seq {row.seq}   {why} tells its story", "text-muted")),
        pair("when", utc(row.wall_ms, "%Y-%m-%d %H:%M:%SZ")),
    ]
    if row.order_id:
        said.append(pair("order", row.order_id))
    if row.ticker:
        said.append(pair("market", row.ticker))
    said += wrapped(row.text, width - 2)
    for name, value in fields:
        said += wrapped(f"{name}  {value}", width - 2, "text-muted")
    return said


class JournalScreen(ConsoleScreen):
    name_in_registry = "journal"

    def __init__(self) -> None:
        super().__init__()
        self.entries = JournalTable()
        self.detail = TextPane(id="detail")
        self._open = False
        self._filter = Filter()
        self._known: list[JournalRow] = []
        self._reached: int | None = None
        """Everything from this number on was looked at; ``None`` before the first entry."""
        self._upto = 0
        """And up to this one."""
        self._reading = False
        self._fault = ""
        self._fields: dict[int, tuple[tuple[str, str], ...]] = {}
        """Values of the entry that was opened last."""

    def panes(self) -> list[LinePane]:
        return [self.entries, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(
            width, height, "journal", height, max(_DETAIL_LEAST, height * 2 // 5) if self._open else 0
        )

    def narrow(self, text: str) -> None:
        """Show only what fits; older entries are looked for anew."""
        self._filter = parse(text)
        self._known, self._reached, self._fault = [], None, ""

    @property
    def about(self) -> str | int:
        """What the entry under the cursor is about: its order, or else itself by its number."""
        row = self.entries.rows.get(self.entries.cursor_key)
        return "" if row is None else row.order_id or row.seq

    # --- what is known ------------------------------------------------------------------------------

    def _take_live(self, scene: Scene) -> None:
        """Add what frames brought; a gap, or another journal, begins anew."""
        live = scene.view.journal
        if not live:
            return
        if self._reached is None or live[0].seq > self._upto + 1 or live[-1].seq < self._upto:
            self._known, self._reached, self._upto = [], live[0].seq, live[0].seq - 1
        fresh = list(takewhile(lambda row: row.seq > self._upto, reversed(live)))
        self._known += [row for row in reversed(fresh) if self._filter.fits(row)]
        self._upto = live[-1].seq
        if len(self._known) > ROWS_MAX:
            del self._known[:-ROWS_MAX]
            self._reached = self._known[0].seq

    def _path(self, scene: Scene) -> Path | None:
        record, status = self.console.options.record, scene.view.status
        return record.journal(status.world_id) if record is not None and status is not None else None

    def _read_back(self, scene: Scene) -> None:
        """Read a page of older entries where the cursor, or an empty place, asks for it."""
        path, before, shown = self._path(scene), self._reached, self.entries.keys
        if path is None or before is None or before <= 1 or self._reading or self._fault:
            return
        at_top = bool(shown) and self.entries.cursor_key == shown[0]
        if (at_top or len(shown) < self.entries.page) and len(self._known) < ROWS_MAX:
            self._reading = True
            self.run_worker(self._page(path, before, self._filter), group="page")

    async def _page(self, path: Path, before: int, wanted: Filter) -> None:
        try:
            found = await asyncio.to_thread(recall.page, path, before, wanted.fits)
            if self._reached == before and self._filter == wanted:
                self._known[:0] = found.rows
                self._reached = found.reached
        except recall.RecallError as error:
            self._fault = str(error)
        self._reading = False
        self.console.repaint()

    # --- drawing ------------------------------------------------------------------------------------

    def draw(self, scene: Scene) -> None:
        table = self.entries
        self._take_live(scene)
        last = table.keys[-1] if table.keys else None
        table.rows = {row.seq: row for row in self._known}
        keys = list(table.rows)
        if keys and (table.cursor_key == last or table.cursor_key not in table.rows):
            table.point_at(keys[-1])
        many = f"{len(keys)} entr{'y' if len(keys) == 1 else 'ies'}"
        title = line(("JOURNAL", "title"), (f" {many}{self._extent()}", "text-muted"))
        shown = ("filter: ", "text-muted"), (self._filter.text or "none", "near" if self._filter else "text")
        right = line((scene.keymap.name("table.filter") + " ", "key"), *shown)
        table.paint_rows(scene, keys, title, right, empty=[note(self._empty(scene))])
        self._read_back(scene)
        row = table.rows.get(table.cursor_key)
        if self._open and row is not None:
            self._read_entry(scene, row.seq)
            width = self.detail.body_size[0]
            why = scene.keymap.name("order.story")
            rows = entry_lines(row, self._fields.get(row.seq, ()), width, why)
            self.detail.show_text(rows, head("ENTRY"))

    def _extent(self) -> str:
        if self._fault:
            return f"  older ones: {self._fault}"
        if self._reading:
            return "  reading older ones"
        return " from the beginning" if self._reached is not None and self._reached <= 1 else ""

    def _empty(self, scene: Scene) -> str:
        if self._filter:
            every = f"{scene.keymap.name('table.filter')} and Enter shows all."
            return f"Nothing here has {self._filter.text!r}. {every}"
        return "Nothing journalled since this console attached."

    # --- one entry ----------------------------------------------------------------------------------

    def open_cursor(self) -> None:
        self._open = not self._open
        self.relayout()

    def cursor_moved(self, key: Key, now: Now) -> None:
        self.detail.scroll_text(-(10**6))

    def _read_entry(self, scene: Scene, seq: int) -> None:
        path = self._path(scene)
        if path is not None and seq not in self._fields:
            self._fields = {seq: ()}
            self.run_worker(self._entry(path, seq), group="entry", exclusive=True)

    async def _entry(self, path: Path, seq: int) -> None:
        try:
            self._fields = {seq: await asyncio.to_thread(recall.entry, path, seq)}
        except recall.RecallError as error:
            self._fields = {seq: (("not read", str(error)),)}
        self.console.repaint()
