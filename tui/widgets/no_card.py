"""The APPROVE pane while there is nothing to decide."""

from __future__ import annotations

from tui.lines import Line, flow, line
from tui.scene import Scene, Typed, note
from tui.widgets.text_pane import wrapped


def empty_lines(scene: Scene, typed: Typed, width: int) -> list[Line]:
    """Why there is no card: engine away, starting, blocked, waiting, or simply no edge."""
    view, status = scene.view, scene.view.status
    start = line(" ", ("Start it with: ", "text-muted"), (typed("engine start"), "strong"))
    if status is None:
        if view.connected:
            return [note("Connected. Waiting for the first picture of the desk.")]
        reason = view.closed_reason or "no engine answers"
        return [line(" ", (f"ENGINE DOWN: {reason}.", "alarm")), start]
    if scene.down:
        return [
            *wrapped("The engine is gone; this picture is old. Nothing can be approved.", width - 1, "alarm"),
            start,
        ]
    if view.starting:
        ticks = [
            line((f"[{'x' if done else ' '}] ", "good" if done else "text-muted"), name)
            for name, done in status.starting
        ]
        return [line(" ", *row) for row in flow([line("Engine starting:"), *ticks], width - 1, 2, indent=0)]
    if status.level != "NORMAL":
        reason = f" ({status.level_reason})" if status.level_reason else ""
        remedy = "The stop is running." if view.stopping else ":resume lifts it, with a word and a reason."
        return [
            *wrapped(f"Entries blocked: {status.level}{reason}.", width - 1, "blocked"),
            *wrapped(remedy, width - 1, "text-muted"),
        ]
    if status.paused:
        names = "all strategies" if "*" in status.paused else ", ".join(status.paused)
        return [
            *wrapped(f"Entries paused: {names}.", width - 1, "arming"),
            note(":unpause asks for a word."),
        ]
    return wrapped(status.best or "No proposal.", width - 1, "text-muted")
