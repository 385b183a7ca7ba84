"""What the engine does about a clock that differs from the venue's, step by step as it gets worse.

Entries are denied by the gate at ``clock_offset_ms_max`` (G31); here the operator is warned before
that, and automatic mode loses its freedom when no timestamp of ours can be trusted any more.
"""

from __future__ import annotations

from core.engine import incidents
from core.engine.desk import Desk
from core.engine.state import AlarmLevel, Mode
from core.risk.halts import GLOBAL, Level

WARN_MS = 250
HALT_AUTO_MS = 2_000


def watch_offset(desk: Desk) -> None:
    """Look at the venue's clock once; call it every second."""
    offset_ms = desk.venue.clock_offset_ms()
    if offset_ms is None or abs(offset_ms) < WARN_MS:
        desk.alarms.clear("clock")
        return
    limit = desk.state.limits.current.clock_offset_ms_max
    what = f"this machine's clock is {-offset_ms / 1000:+.2f} s off the venue's"
    if abs(offset_ms) >= HALT_AUTO_MS and desk.state.mode is Mode.AUTO:
        incidents.stop(desk, GLOBAL, Level.REDUCE_ONLY, what)
    effect = "entries are denied" if abs(offset_ms) > limit else f"entries are denied from {limit} ms on"
    desk.alarms.raise_("clock", AlarmLevel.CHECK, what, effect, "a clock set right (NTP)")
