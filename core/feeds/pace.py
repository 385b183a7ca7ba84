"""Spacing between the requests of all sources that ask one provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.domain.clock import Clocks

IN_FLIGHT_MAX = 4
SPACING_S = 0.5
"""World seconds between requests to the service: two a second where time is real."""


class Pace:
    """At most four requests in flight and a spacing between their starts, for one service."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._next_ns = 0

    @asynccontextmanager
    async def turn(self, spacing_s: float = SPACING_S) -> AsyncIterator[None]:
        """One request's turn; the next one's comes ``spacing_s`` (world) after it began."""
        async with self._slots:
            now_ns = self._clocks.mono_ns()
            start_ns = max(now_ns, self._next_ns)
            self._next_ns = start_ns + int(self._clocks.world.real_seconds(spacing_s) * 1e9)
            await asyncio.sleep((start_ns - now_ns) / 1e9)
            yield
