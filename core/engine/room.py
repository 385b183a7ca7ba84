"""Room on the disk: told long before entries are denied, as the gate does at ``disk_free_mb_min``."""

from __future__ import annotations

from core.engine.desk import Desk
from core.engine.state import AlarmLevel

WARN_MB = 2_000


def watch_room(desk: Desk) -> None:
    """Look at what is left; call it every second."""
    left, floor = desk.health.disk_mb, desk.state.limits.current.disk_free_mb_min
    if left is None or left >= WARN_MB:
        desk.alarms.clear("disk")
        return
    what = f"{left} MB of disk are left"
    effect = "entries are denied" if left < floor else f"entries are denied below {floor} MB"
    desk.alarms.raise_("disk", AlarmLevel.CHECK, what, effect, "room on the disk")
