"""The line above the key hints: last command, alarm or the demo's coach, most urgent first."""

from __future__ import annotations

from tui.format import utc
from tui.lines import Line, cut, ends, line, pad
from tui.scene import Scene
from tui.widgets.line_pane import LinePane
from tui.widgets.stop_band import stop_hint


def message_line(scene: Scene, asking: str, *, opened: bool) -> Line:
    """What needs to be said in one line; ``asking`` is the question of the open command line.

    On a screen ``opened`` over another one the key that hides the coach goes back instead.
    """
    view, width = scene.view, scene.width
    if scene.in_ladder:
        return stop_hint(scene)
    if asking:
        return pad(line((" " + asking, "strong")), width)
    if scene.message is not None:
        return pad(line((" " + scene.message.text, scene.message.role)), width)
    if view.urgent():
        return alarm_line(scene)
    if scene.coach:
        hide = line(("" if opened else f"{scene.keymap.name('back')} hides ", "text-muted"))
        return ends(line((" " + scene.coach, "coach")), hide, width)
    return alarm_line(scene)


def alarm_line(scene: Scene) -> Line:
    """The newest unacknowledged alarm with the count, or a calm line."""
    unread = scene.view.unacknowledged()
    if not unread:
        return pad(line((" No alarms.", "text-muted")), scene.width)
    row = unread[0]
    mark = "!" if row.level == "ACT" else "*"
    role = "alarm" if row.level == "ACT" else "check"
    left = line((f" {mark} {utc(row.since_world_ms)} {row.what}", role), (f"  {row.effect}", "text"))
    return ends(left, line((f"{len(unread)} unacked ", "text-muted")), scene.width)


class MessageLine(LinePane):
    bare = True

    def show(self, scene: Scene, asking: str, *, opened: bool) -> None:
        self.paint([cut(message_line(scene, asking, opened=opened), scene.width)])
