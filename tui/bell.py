"""When the terminal's bell rings: for what a person must act on, and if wanted for a card after quiet."""

from __future__ import annotations

from tui.scene import Scene
from tui.view_model import DECIDABLE

SPACING_NS = 2_000_000_000
"""Never more than one ring in this time: what comes meanwhile rings once at its end."""
QUIET_NS = 30_000_000_000
"""A card after so long without one is news."""


class Bell:
    """What has rung already. ``policy``: ``act``, ``card`` (both) or ``off``."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self._heard: set[tuple[int, int]] = set()
        """Unseen alarms that have rung, by number and time: a new engine counts from one again."""
        self._carded_ns: int | None = None
        """When a card was last up."""
        self._due = False
        self._rang_ns: int | None = None

    def rings(self, scene: Scene) -> bool:
        """Whether to ring now. Ask at every paint; what is due and too early is remembered."""
        if self.policy == "off":
            return False
        now_ns = scene.now.mono_ns
        urgent = {(row.id, row.since_world_ms) for row in scene.view.urgent()}
        self._due |= not urgent <= self._heard
        self._heard = urgent
        if any(card.state in DECIDABLE for card in scene.cards):
            quiet = self._carded_ns is None or now_ns - self._carded_ns >= QUIET_NS
            self._due |= self.policy == "card" and quiet
            self._carded_ns = now_ns
        if not self._due or (self._rang_ns is not None and now_ns - self._rang_ns < SPACING_NS):
            return False
        self._due, self._rang_ns = False, now_ns
        return True
