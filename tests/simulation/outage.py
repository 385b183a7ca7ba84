"""One venue falls silent while nothing else goes wrong: whatever it does must not stop the other's orders."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.domain.market import Venue
from core.sim.fates import PLAIN, Fate, Lost
from core.sim.fault_kinds import Matter, Point
from core.sim.plan import Plan, Swarm
from tests.simulation.hands import Habits
from tests.simulation.violation import ViolationError

EVERY, TURNS = 16, {4: Venue.KALSHI, 12: Venue.POLYMARKET}
"""Every eighth seed's world is like that, each venue in its turn."""
SLICE_MS = 10_000
"""In every such stretch of the silence at least one entry leaves for the venue that works."""
HABITS = Habits(16.0, {"rest": 60.0, "cross": 6.0, "take": 8.0, "close": 14.0, "cancel": 12.0})
"""Hands that stop nothing by themselves."""


class Silence(msgspec.Struct, frozen=True):
    """Which venue says and hears nothing, and between which milliseconds of the plan."""

    venue: Venue
    from_ms: int
    to_ms: int

    def plan_of(self, venue: Venue) -> Plan:
        return _Silent(self) if venue is self.venue else Plan(Swarm(0, ()))

    def broken(self, entries_ms: Sequence[int], excused_ms: Sequence[int] = ()) -> ViolationError | None:
        """13: a stretch in which no entry left for the other venue; ``entries_ms`` is when they did.

        ``excused_ms``: when something else held entries back.
        """
        for since in range(self.from_ms, self.to_ms - SLICE_MS + 1, SLICE_MS):
            if not any(since <= at < since + SLICE_MS for at in (*entries_ms, *excused_ms)):
                what = f"no entry left for {SLICE_MS // 1000} s because {self.venue.value} is silent"
                return ViolationError(13, what, since, list(entries_ms))
        return None


class _Silent(Plan):
    def __init__(self, silence: Silence) -> None:
        super().__init__(Swarm(0, ()))
        self._silence = silence

    def _fate(self, point: Point, matter: Matter, now_ms: int) -> Fate:
        return Lost() if self._silence.from_ms <= now_ms < self._silence.to_ms else PLAIN


def drawn(seed: int, length_s: int) -> Silence | None:
    """The silence of a run, ``None`` for most seeds: the middle of the time in which orders are placed."""
    venue = TURNS.get(seed % EVERY)
    return Silence(venue, length_s * 200, length_s * 800) if venue is not None else None
