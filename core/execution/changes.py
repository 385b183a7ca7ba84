"""Which rows of a table changed since a reader last looked, for any number of readers.

A table's writer calls ``touch``; each reader keeps the version it has seen. The log is bounded: a
reader that fell behind further than the log reaches is told to read everything.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

KEYS_MAX = 20_000
"""Keys remembered; beyond it the oldest are forgotten and slow readers read everything."""


class Changes(Generic[K]):
    """Keys in order of their last change. A key that is gone from its table stays here as a change."""

    __slots__ = ("_at", "_floor", "version")

    def __init__(self) -> None:
        self.version = 0
        self._floor = 0
        self._at: dict[K, int] = {}

    def touch(self, key: K) -> None:
        """Note that the row of ``key`` changed, appeared or went."""
        self.version += 1
        self._at.pop(key, None)
        self._at[key] = self.version
        if len(self._at) > KEYS_MAX:
            oldest = next(iter(self._at))
            self._floor = self._at.pop(oldest)

    def since(self, seen: int) -> list[K] | None:
        """Keys changed after version ``seen``, newest first; ``None``: read everything."""
        if seen < self._floor:
            return None
        changed = []
        for key in reversed(self._at):
            if self._at[key] <= seen:
                break
            changed.append(key)
        return changed
