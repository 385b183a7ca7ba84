"""How well the engine itself is: lag of its loop, steps of the clock, room on the disk, its memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from core.domain.clock import Clocks
from core.domain.market import Venue

PROBE_S = 0.05
WINDOW = 200
"""Probes in ten seconds."""
STEP_MS = 500
"""A wall clock that moves this much against the machine's has been set."""
GAP_MS = 2_000
"""A probe this late means the process was stopped or the machine slept."""
SLEPT_MS = 500
"""A loop whose own clock missed this much of a gap was asleep with the machine."""


class Health:
    """Probes the loop for ever. After a gap or a step nothing known is current until it is read again."""

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
        self._p99_ms: int | None = None
        self._probed_ns: int | None = None
        self._stepped_ns: int | None = None
        self._read_ns: dict[Venue, int] = {}
        """Begin of the last reading that agreed, by venue."""
        self.disk_mb: int | None = disk_free_mb()
        self.memory_mb: int | None = memory_mb()

    def stepped(self, venue: Venue) -> bool:
        """Whether the engine stood still or its clock was set since that venue's account was last read.

        True from the first instruction after a gap: what runs before the next probe is not fooled.
        """
        if self._stepped_ns is not None and self._read_ns.get(venue, 0) < self._stepped_ns:
            return True
        return self._probed_ns is not None and self._clocks.mono_ns() - self._probed_ns > GAP_MS * 1_000_000

    def step(self, what: str) -> None:
        """Something broke the flow of time; ``what`` is a sentence."""
        self._stepped_ns = self._clocks.mono_ns()
        self._on_gap(what)

    def account_read(self, venue: Venue, began_ns: int) -> None:
        """The account agrees with a reading that began then; a reading from before the gap proves nothing."""
        self._read_ns[venue] = began_ns

    def lag_p99_ms(self) -> int | None:
        """p99 of how late the loop woke over the last ten seconds, or since a venue's start was over;
        ``None`` before the first second."""
        return self._p99_ms

    def begin_anew(self) -> None:
        """A venue's start is over: how late the loop was in it, with everything asked for at once, tells
        nothing of the desk that trades. The last figure stands until there is a second of newer ones."""
        self._late_ms.clear()

    def _note(self, late_ms: int) -> None:
        self._late_ms.append(late_ms)
        if len(self._late_ms) >= 1 / PROBE_S:
            self._p99_ms = sorted(self._late_ms)[len(self._late_ms) * 99 // 100]

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        mono, wall, looped, probes = self._clocks.mono_ns(), self._clocks.wall_ms(), loop.time(), 0
        while True:
            self._probed_ns = mono
            await asyncio.sleep(PROBE_S)
            now_mono, now_wall, now_loop = self._clocks.mono_ns(), self._clocks.wall_ms(), loop.time()
            passed_ms = (now_mono - mono) // 1_000_000
            late = max(0, passed_ms - int(PROBE_S * 1000))
            self._note(late)
            if late > GAP_MS:
                asleep = passed_ms - (now_loop - looped) * 1000 > SLEPT_MS
                who = "the machine slept" if asleep else "the engine stood still"
                self.step(f"{who} for {late / 1000:.1f} s")
            if abs((now_wall - wall) - passed_ms) > STEP_MS:
                self.step(f"the clock was set by {((now_wall - wall) - passed_ms) / 1000:+.1f} s")
            mono, wall, looped, probes = now_mono, now_wall, now_loop, probes + 1
            if probes % int(10 / PROBE_S) == 0:
                self.disk_mb, self.memory_mb = self._disk_free_mb(), self._memory_mb()
