"""ALARMS: only what a person must act on or know, with its effect on trading and what clears it."""

from __future__ import annotations

import textwrap

from core.control.tables.safety import AlarmRow
from tui.format import age, utc
from tui.lines import Line, Span, line
from tui.scene import Scene, note
from tui.view_model import gravity
from tui.widgets.live_table import Column, Key, LiveTable, plan

_ROLES = {"ACT": "alarm", "CHECK": "check"}


def row_of(scene: Scene, key: Key) -> AlarmRow:
    return scene.view.alarms[key]  # type: ignore[index]  # the alarm table is keyed by the row's id


def _mark(scene: Scene, key: Key) -> Span:
    row = row_of(scene, key)
    rings = not row.acknowledged and not row.shelved_by and row.level != "NOTE"
    return Span(" !" if rings else "  ", _ROLES.get(row.level, "text"))


def _time(scene: Scene, key: Key) -> Span:
    return Span(" " + utc(row_of(scene, key).since_world_ms), "text-muted")


def _level(scene: Scene, key: Key) -> Span:
    row = row_of(scene, key)
    quiet = row.acknowledged or bool(row.shelved_by)
    return Span(f" {row.level}", "text-muted" if quiet else _ROLES.get(row.level, "text-muted"))


def _since(scene: Scene, key: Key) -> Span:
    return Span(age(scene.ago_s(row_of(scene, key).since_ns)), "text-muted")


def _told(row: AlarmRow) -> str:
    """What it is and what it does, as one sentence or two; how often, where it goes and comes."""
    stop = " " if row.what.endswith((".", "!", "?")) else "; "
    again = f" ({row.times} times)" if row.times > 1 else ""
    return row.what + again + (stop + row.effect if row.effect else "")


def _text(scene: Scene, key: Key) -> Span:
    row = row_of(scene, key)
    role = "text-muted" if row.acknowledged or row.shelved_by or row.level == "NOTE" else "text"
    return Span("  " + _told(row), role)


def _head(scene: Scene, key: Key) -> Span:
    """The same, of a flood with how many there are."""
    text = _text(scene, key)
    alike = next((alike for row, alike in scene.view.alarm_heads() if row.id == key), 1)
    return Span(f"  {alike}x {text.text.lstrip()}", text.role) if alike > 1 else text


COLUMNS = (
    Column("mark", "", 2, 1, _mark, left=True),
    Column("time", " UTC", 9, 2, _time, left=True, rank=lambda scene, key: -row_of(scene, key).since_ns),
    Column("level", " level", 7, 1, _level, left=True, rank=lambda scene, key: gravity(row_of(scene, key))),
    Column("since", "since", 6, 3, _since),
    Column("what", "  what, and its effect on trading", 30, 1, _text, left=True, grow=True, width_max=400),
)
HEADS = (*COLUMNS[:-1], COLUMNS[-1]._replace(cell=_head))


def clearing(row: AlarmRow) -> str:
    """What clears an alarm, without the word that its text may begin with: it stands before it here."""
    first, _, rest = row.clears.partition(" ")
    return rest if first.casefold() == "clears" else row.clears


def clears_lines(row: AlarmRow, width: int, room: int = 3) -> list[Line]:
    """What clears an alarm, below the table; before it the alarm again when its own row cuts it and there is
    room for both."""
    told = _told(row)
    fits = len(told) + 2 <= plan(COLUMNS, width)[-1].width
    clears = f"clears: {clearing(row)}" if row.clears else ""
    parts = textwrap.wrap(clears if fits else f"{told}   {clears}", max(20, width - 4))
    if len(parts) > room and clears:
        parts = textwrap.wrap(clears, max(20, width - 4))
    return [line((f"   {part}", "text-muted")) for part in parts[:room]]


class Alarms(LiveTable):
    """The ALARMS pane."""

    def __init__(self) -> None:
        super().__init__(HEADS, id="alarms", header=False)

    def show(self, scene: Scene) -> None:
        rows = [row for row, _ in scene.view.alarm_heads()]
        unread = len(scene.view.unacknowledged())
        role = "near" if unread else "text-muted"
        title = line(("ALARMS", "title"), (f" {unread} unacked" if rows else "", role))
        right = (
            line((scene.keymap.name("alarm.acknowledge") + " ", "key"), ("acknowledge", "text-muted"))
            if rows and scene.controls
            else ()
        )
        width, height = self.body_size
        keys = self.shown(scene, [row.id for row in rows])
        if not self.has_focus and keys:
            self.point_at(keys[0])
        selected = scene.view.alarms.get(self.cursor_key) or (rows[0] if rows else None)  # type: ignore[call-overload]
        room = min(3, height - len(rows))
        foot = clears_lines(selected, width, room) if selected is not None and room > 0 else []
        self.paint_rows(
            scene,
            keys,
            title,
            right,
            empty=[note("No alarms.")],
            foot=foot,
        )
