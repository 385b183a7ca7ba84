"""The line above the key hints: last command, halt, alarm or the demo's coach, most urgent first."""

from __future__ import annotations

from tui.format import countdown, utc
from tui.lines import Line, cut, ends, line, pad
from tui.scene import Scene
from tui.widgets.line_pane import LinePane
from tui.widgets.stop_band import receipt, stop_hint


def message_line(scene: Scene, engine_command: str = "", asking: str = "") -> Line:
    """What needs to be said in one line; ``asking`` is the question of the open command line."""
    view, width = scene.view, scene.width
    if view.stopping or scene.stop_sent:
        return stop_hint(scene)
    if scene.down and view.status is not None:
        return pad(line((" " + down_sentence(scene, engine_command), "band")), width, "band")
    if asking:
        return pad(line((" " + asking, "strong")), width)
    if scene.message is not None:
        return pad(line((" " + scene.message.text, scene.message.role)), width)
    if view.flatten is not None:
        return pad(line((" " + receipt(view.flatten), "strong")), width)
    urgent = next((row for row in view.unacknowledged() if row.level == "ACT"), None)
    if urgent is None and scene.coach:
        return ends(line((" " + scene.coach, "coach")), line(("Esc hides ", "text-muted")), width)
    status = view.status
    if status is not None and status.level in ("HALTED", "LOCKED", "REDUCE_ONLY"):
        reason = f": {status.level_reason}" if status.level_reason else ""
        text = f" {status.level}{reason}   :resume asks for a word and a reason"
        return pad(line((text, "band")), width, "band")
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


def down_sentence(scene: Scene, engine_command: str) -> str:
    """The command that helps, first because the line may be cut, and what is known of our orders.

    For how long the engine has been silent stands in the status bar.
    """
    working = scene.view.working()
    expiries = [row.expires_wall_ms for row in working if row.expires_wall_ms is not None]
    tail = ""
    if working and len(expiries) == len(working):
        tail = f", dead by expiry in {countdown((max(expiries) - scene.now.wall_ms) / 1000)}"
    remedy = f"Run: {engine_command}   " if engine_command else ""
    return f"{remedy}Orders at the venue: {len(working)}{tail}."


class MessageLine(LinePane):
    bare = True

    def show(self, scene: Scene, engine_command: str, asking: str) -> None:
        self.paint([cut(message_line(scene, engine_command, asking), scene.width)])
