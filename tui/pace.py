"""How often the console draws, and what it does without: for slow lines, and where nobody looks."""

from __future__ import annotations

SLOW_NS = 600_000_000
"""A terminal that is behind for longer than this is on a slow line; a bad one answers in 0.3 s."""
CALM_NS = 30_000_000_000
"""After so long without that, the line counts as good again."""
HELD_NS = 400_000_000
"""While the terminal is behind for longer than this, nothing is drawn but what a hand waits for."""
STUCK_NS = 1_000_000_000
"""While it is behind for longer than this, nothing at all: the newest picture is worth more than a queue."""
LEISURE_NS = 1_000_000_000


class Pace:
    """``paints_per_s`` at best; once a second with little bandwidth, or while the terminal has no focus."""

    def __init__(self, paints_per_s: int, *, low_bandwidth: bool) -> None:
        self.low_bandwidth = low_bandwidth
        """Whether the operator wants it so."""
        self.blurred = False
        self._paint_ns = 1_000_000_000 // paints_per_s
        self._behind_ns = 0
        self._slow_until_ns = 0

    def observe(self, behind_ns: int, now_ns: int) -> None:
        """Note for how long the terminal has not taken what was written."""
        self._behind_ns = behind_ns
        if behind_ns > SLOW_NS:
            self._slow_until_ns = now_ns + CALM_NS

    def slow(self, now_ns: int) -> bool:
        return now_ns < self._slow_until_ns

    def sparing(self, now_ns: int) -> bool:
        """Whether to go without flashes and sparks."""
        return self.low_bandwidth or self.slow(now_ns)

    def every_ns(self, now_ns: int) -> int:
        """Time between two paints that nobody waits for."""
        leisurely = self.blurred or self.sparing(now_ns)
        return max(self._paint_ns, LEISURE_NS) if leisurely else self._paint_ns

    def holds(self, *, urgent: bool) -> bool:
        """Whether a paint has to wait until the terminal has caught up."""
        return self._behind_ns > (STUCK_NS if urgent else HELD_NS)

    def word(self, now_ns: int) -> str:
        """For the status bar."""
        if self.slow(now_ns):
            return (
                f"SLOW LINE {self._behind_ns // 1_000_000_000}s" if self.holds(urgent=True) else "SLOW LINE"
            )
        return "LOW BW" if self.low_bandwidth else ""
