"""Economic releases in the status bar: what is awaited, and a countdown to what comes within the hour."""

from __future__ import annotations

from core.control.tables.sources import ReleaseRow
from tui.format import countdown
from tui.lines import Line, line
from tui.scene import Scene

SHOWN_S = 3_600


def release_chips(scene: Scene) -> list[tuple[int, Line]]:
    """One chip, with its priority, a kind that moves markets here and holds entries back, or soon does."""
    status = scene.view.status
    if status is None:
        return []
    world_ms = scene.view.world_ms(scene.now)
    chips = (_chip(row, world_ms) for row in status.releases if row.markets)
    return [chip for chip in chips if chip is not None]


def _chip(row: ReleaseRow, world_ms: int) -> tuple[int, Line] | None:
    kind = line((f"{row.kind[:8]} ", "text-muted"))
    left_s = (row.next_world_ms - world_ms) / 1000 if row.next_world_ms is not None else None
    since_s = (world_ms - row.last_world_ms) / 1000 if row.last_world_ms is not None else None
    if left_s is not None and left_s <= 0:  # it has become the last one, and the engine has not said so yet
        since_s, left_s = -left_s, None
    if left_s is not None and left_s <= row.before_s:
        return 1, kind + line((f" {countdown(left_s)} ", "band"))
    if since_s is not None and 0 <= since_s < row.after_s:
        return 1, kind + line((f" +{countdown(since_s)} ", "band"))
    if row.state in ("PENDING", "UNKNOWN"):
        return 1, kind + line((row.state if row.state == "PENDING" else "NO DATES", "near"))
    if left_s is not None and left_s <= SHOWN_S:
        return 3, kind + line(countdown(left_s))
    return None
