"""How well the engine itself is: lag of its loop, steps of the clock, room on the disk, its memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from core.domain.clock import Clocks

PROBE_S = 0.05
WINDOW = 200
"""Probes in ten seconds."""
STEP_MS = 500
"""A wall clock that moves this much against the monotonic one has been set."""
GAP_MS = 2_000
"""A probe this late means the process was stopped or the machine slept."""


class Health:
    """Probes the loop for ever. ``stepped`` stays set until a reconciliation clears it."""

    def __init__(
        self,
        clocks: Clocks,
        disk_free_mb: Callable[[], int | None],
        memory_mb: Callable[[], int | None],
        on_gap: Callable[[str], None],
    ) -> None:
        self._clocks = clocks
        self._disk_free_mb = disk_free_mb
        self._memory_mb = memory_mb
        self._on_gap = on_gap
        self._late_ms: deque[int] = deque(maxlen=WINDOW)
        self.stepped = False
        self.disk_mb: int | None = disk_free_mb()
        self.memory_mb: int | None = memory_mb()

    def lag_p99_ms(self) -> int | None:
        """p99 of how late the loop woke over the last ten seconds; ``None`` before the first second."""
        if len(self._late_ms) < 1 / PROBE_S:
            return None
        return sorted(self._late_ms)[len(self._late_ms) * 99 // 100]

    async def run(self) -> None:
        """Measure until cancelled."""
        mono, wall, probes = self._clocks.mono_ns(), self._clocks.wall_ms(), 0
        while True:
            await asyncio.sleep(PROBE_S)
            now_mono, now_wall = self._clocks.mono_ns(), self._clocks.wall_ms()
            passed_ms = (now_mono - mono) // 1_000_000
            late = max(0, passed_ms - int(PROBE_S * 1000))
            self._late_ms.append(late)
            if late > GAP_MS:
                self.stepped = True
                self._on_gap(f"the engine stood still for {late / 1000:.1f} s")
            if abs((now_wall - wall) - passed_ms) > STEP_MS:
                self.stepped = True
                self._on_gap(f"the clock was set by {((now_wall - wall) - passed_ms) / 1000:+.1f} s")
            mono, wall, probes = now_mono, now_wall, probes + 1
            if probes % int(10 / PROBE_S) == 0:
                self.disk_mb, self.memory_mb = self._disk_free_mb(), self._memory_mb()
