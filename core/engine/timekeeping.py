"""What the engine does about a clock that differs from the venue's, step by step as it gets worse.

Entries are denied by the gate at ``clock_offset_ms_max`` (G31); here the operator is warned before
that, and automatic mode loses its freedom when no timestamp of ours can be trusted any more.
"""

from __future__ import annotations

from core.engine import incidents
from core.engine.desk import Desk
from core.engine.seat import Seat
from core.engine.state import AlarmLevel, Mode
from core.risk.halts import GLOBAL, Level

WARN_MS = 250
HALT_AUTO_MS = 2_000


def watch_offset(desk: Desk) -> None:
    """Look at each venue's clock once; call it every second."""
    for seat in desk.seats.values():
        _watch(desk, seat)


def _watch(desk: Desk, seat: Seat) -> None:
    key, offset_ms = f"clock {seat.name.value}", seat.venue.clock_offset_ms()
    if offset_ms is None or abs(offset_ms) < WARN_MS:
        desk.alarms.clear(key)
        return
    limit = desk.state.limits.current.clock_offset_ms_max
    whose = desk.seats.named(seat, "venue's")
    what = f"this machine's clock is {-offset_ms / 1000:+.2f} s off the {whose}"
    if abs(offset_ms) >= HALT_AUTO_MS and desk.state.mode is Mode.AUTO:
        incidents.stop(desk, GLOBAL, Level.REDUCE_ONLY, what)
    effect = "entries are denied" if abs(offset_ms) > limit else f"entries are denied from {limit} ms on"
    desk.alarms.raise_(key, AlarmLevel.CHECK, what, effect, "a clock set right (NTP)")
