"""Alarms: everything that rang, what it does to trading, what clears it, and whether it was seen."""

from __future__ import annotations

from core.control.tables.safety import AlarmRow
from tui.format import age, utc
from tui.lines import Line, Span, line
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, over
from tui.widgets.alarms import COLUMNS as PANE_COLUMNS
from tui.widgets.alarms import clearing, row_of
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane, pair, told, wrapped

_DETAIL_ROWS = 9
_UNSEEN = {"unseen": 0, "unseen, over": 1}


def seen_word(row: AlarmRow) -> tuple[str, str]:
    """Whether a person has looked, and whether it still stands."""
    if row.level == "NOTE":
        return "", "text-muted"
    if row.shelved_by:
        return "shelved" if row.active else "shelved, over", "text-muted"
    if not row.acknowledged:
        return "unseen" if row.active else "unseen, over", "near"
    return "seen" if row.active else "seen, over", "text-muted"


def _id(scene: Scene, key: Key) -> Span:
    return Span(str(key), "text-muted")


def _seen(scene: Scene, key: Key) -> Span:
    word, role = seen_word(row_of(scene, key))
    return Span(f"  {word}", role)


def _by_seen(scene: Scene, key: Key) -> int:
    """What nobody has seen first."""
    return _UNSEEN.get(seen_word(row_of(scene, key))[0], len(_UNSEEN))


COLUMNS = (
    Column("id", "id", 4, 2, _id),
    *(column for column in PANE_COLUMNS if column.name != "what"),
    Column("seen", "  seen", 14, 1, _seen, left=True, rank=_by_seen),
    *(column for column in PANE_COLUMNS if column.name == "what"),
)


def detail_lines(scene: Scene, row: AlarmRow, width: int) -> list[Line]:
    """One alarm whole: what, since when, effect, what clears it, and who has put it aside."""
    word, role = seen_word(row)
    return [
        *wrapped(row.what, width - 1),
        pair("since", f"{utc(row.since_world_ms)}Z", (f"   {age(scene.ago_s(row.since_ns))}", "text-muted")),
        *(told("effect", row.effect, width - 1) if row.effect else []),
        *(told("clears", clearing(row), width - 1) if row.clears else []),
        *([pair("state", (word, role))] if word else []),
        *(told("shelf", shelf_text(scene, row), width - 1) if row.shelved_by else []),
    ]


def shelf_text(scene: Scene, row: AlarmRow) -> str:
    """Until when, by whom and why an alarm is shelved."""
    until_ms = row.shelved_until_wall_ms or 0
    left = age((until_ms - scene.now.wall_ms) / 1000)
    why = f": {row.shelved_for}" if row.shelved_for else ""
    return f"{left} left, until {utc(until_ms, '%H:%M')}Z in real time, by {row.shelved_by}{why}"


def _hints(scene: Scene) -> Line:
    seen = line((scene.keymap.name("alarm.acknowledge") + " ", "key"), ("seen  ", "text-muted"))
    every = line(*seen, (":alarms ack ", "key"), ("all", "text-muted"))
    return line(*every, ("  :alarms shelve ", "key"), ("ID 30m", "text-muted")) if scene.wide else every


class AlarmsScreen(ConsoleScreen):
    name_in_registry = "alarms"

    def __init__(self) -> None:
        super().__init__()
        self.alarms = LiveTable(COLUMNS, id="alarms")
        self.detail = TextPane(id="detail")

    def panes(self) -> list[LinePane]:
        return [self.alarms, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "alarms", height, _DETAIL_ROWS)

    def draw(self, scene: Scene) -> None:
        rows = scene.view.all_alarms()
        unseen = len(scene.view.unacknowledged())
        shelved = sum(bool(row.shelved_by) for row in rows)
        title = line(
            ("ALARMS", "title"),
            (f" {len(rows)}", "text-muted"),
            (f"  {unseen} unseen" if unseen else "", "near"),
            (f"  {shelved} shelved" if shelved else "", "text-muted"),
        )
        hints = _hints(scene) if scene.controls else ()
        keys = self.alarms.shown(scene, [row.id for row in rows])
        if self.alarms.cursor_key not in scene.view.alarms and keys:
            self.alarms.point_at(keys[0])
        self.alarms.paint_rows(scene, keys, title, hints, empty=[note("Nothing has rung.")])
        chosen = scene.view.alarms.get(self.alarms.cursor_key)  # type: ignore[call-overload]  # keyed by id
        lines = detail_lines(scene, chosen, self.detail.body_size[0]) if chosen is not None else []
        self.detail.show_text(lines, head("ALARM"))
