"""The terminal's title: what a window in the background must still say."""

from __future__ import annotations

from tui.scene import Scene, Typed
from tui.standing import standing
from tui.words import profile_word

NAME = "pmconsole"


def title(scene: Scene, typed: Typed) -> str:
    """``LIVE HALTED !2 semi - pmconsole``: profile, the gravest of what stands, alarms nobody has seen, mode
    and the sign of the day."""
    view, status = scene.view, scene.view.status
    if status is None:
        return NAME
    stands = next((found.word for found in standing(scene, typed) if not found.calm), "")
    if not stands and view.lags(scene.now):
        stands = "VIEW LAG"
    urgent = len(view.urgent())
    day = "" if not status.today_pnl or scene.down else "+" if status.today_pnl > 0 else "-"
    words = (profile_word(status.profile), stands, f"!{urgent}" if urgent else "", status.mode, day, NAME)
    return " ".join(word for word in words if word)
