"""How long what a venue says takes to arrive."""

from __future__ import annotations

from typing import Final

LAGS_MAX: Final = 10_000
"""Samples between two looks; more than that tells nothing new."""


class Lags:
    """How long each book change since the last look took from the venue into its book, milliseconds."""

    def __init__(self) -> None:
        self._ms: list[int] = []

    def note(self, ms: int) -> None:
        if len(self._ms) < LAGS_MAX:
            self._ms.append(ms)

    def worst(self) -> int | None:
        """99th percentile since the last call, ``None`` without a book change."""
        lags, self._ms = sorted(self._ms), []
        return lags[len(lags) * 99 // 100] if lags else None
