"""The dead-man switch: a chain of ids per API key, checked every five seconds.

Polymarket docs: heartbeats. A chain that broke off stays where it was: only its next id is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clock

SILENCE_MS = 10_000
CHECK_EVERY_MS = 5_000


class _Chain(msgspec.Struct):
    expected: str
    beat_ms: int | None
    """None once its orders were cancelled, until it beats again."""


class Heartbeats:
    """``cut`` is called with an API key whose orders are to go."""

    def __init__(self, clock: Clock, ids: Callable[[], str], cut: Callable[[str], None]) -> None:
        self._clock, self._new_id, self._cut = clock, ids, cut
        self._chains: dict[str, _Chain] = {}
        self._check_ms = clock.wall_ms() + CHECK_EVERY_MS

    def beat(self, key: str, heartbeat_id: str) -> tuple[bool, str]:
        """Whether the beat counts, and the id that is expected next."""
        chain = self._chains.get(key)
        if heartbeat_id != (chain.expected if chain is not None else ""):
            return False, chain.expected if chain is not None else ""
        following = self._chains[key] = _Chain(self._new_id(), self._clock.wall_ms())
        return True, following.expected

    def break_chain(self, key: str) -> None:
        """Expect another id than the one given out."""
        if key in self._chains:
            self._chains[key].expected = self._new_id()

    def lapse(self, key: str) -> None:
        """Take the last beat for too old at the next check, whenever it was."""
        chain = self._chains.get(key)
        if chain is not None and chain.beat_ms is not None:
            chain.beat_ms = self._clock.wall_ms() - SILENCE_MS - 1

    def advance(self) -> None:
        """Make the checks that are due."""
        while self._check_ms <= self._clock.wall_ms():
            for key, chain in self._chains.items():
                if chain.beat_ms is not None and self._check_ms - chain.beat_ms > SILENCE_MS:
                    chain.beat_ms = None
                    self._cut(key)
            self._check_ms += CHECK_EVERY_MS
