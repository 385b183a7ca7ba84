"""The line above the key hints: last command, halt, alarm or the demo's coach, most urgent first."""

from __future__ import annotations

from tui.actions import DIRECT
from tui.format import countdown, utc
from tui.lines import Line, cut, ends, line, pad
from tui.scene import Scene, Typed
from tui.widgets.line_pane import LinePane
from tui.widgets.stop_band import stop_hint

START = "engine start"


def message_line(scene: Scene, typed: Typed, asking: str, *, opened: bool) -> Line:
    """What needs to be said in one line; ``asking`` is the question of the open command line.

    On a screen ``opened`` over another one Esc goes back instead of hiding the coach.
    """
    view, width = scene.view, scene.width
    if scene.in_ladder:
        return stop_hint(scene)
    if scene.down and view.status is not None:
        return pad(line((" " + down_sentence(scene, typed), "band")), width, "band")
    if asking:
        return pad(line((" " + asking, "strong")), width)
    if scene.message is not None:
        return pad(line((" " + scene.message.text, scene.message.role)), width)
    if view.urgent():
        return alarm_line(scene)
    if scene.coach:
        hide = line(("" if opened else "Esc hides ", "text-muted"))
        return ends(line((" " + scene.coach, "coach")), hide, width)
    status = view.status
    if status is not None and status.level in ("HALTED", "LOCKED", "REDUCE_ONLY"):
        remedy = ":resume lifts it, with a word and a reason"
        if view.flatten is not None and view.flatten.watches:
            remedy = "it goes on selling what is left until :flatten keep or :resume"
        text = f" {status.level}   {remedy}   {status.level_reason}"
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


def down_sentence(scene: Scene, typed: Typed) -> str:
    """What could not be sent, the command that helps, and what is known of our orders.

    A stop that no engine carries on is finished without one. For how long the engine has been silent
    stands in the status bar.
    """
    working = scene.view.working()
    expiries = [row.expires_wall_ms for row in working if row.expires_wall_ms is not None]
    left = ""
    if working and len(expiries) == len(working):
        left = countdown((max(expiries) - scene.now.wall_ms) / 1000)
    if scene.message is not None and scene.message.role == "alarm":
        expire = f" expire in {left}" if left else " at the venue"
        verb = scene.message.without_engine or START
        return f"{scene.message.text}. Run: {typed(verb)}   {len(working)} orders{expire}."
    if scene.view.stopping:
        left = f"{len(working)} orders, {len(scene.view.held())} positions"
        return f"Stop unfinished. Run: {typed(DIRECT)}   {left} left."
    tail = f", dead by expiry in {left}" if left else ""
    return f"Run: {typed(START)}   Orders at the venue: {len(working)}{tail}."


class MessageLine(LinePane):
    bare = True

    def show(self, scene: Scene, typed: Typed, asking: str, *, opened: bool) -> None:
        self.paint([cut(message_line(scene, typed, asking, opened=opened), scene.width)])
