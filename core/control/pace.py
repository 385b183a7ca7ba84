"""When the next frame goes out: ten times a second, and at once where something cannot wait for that."""

from __future__ import annotations

import asyncio
import contextlib

FRAME_INTERVAL_S = 0.1
AHEAD_S = 2 * FRAME_INTERVAL_S
"""A hurried frame is so far before its turn at most. Each takes the place of the next, so that there are
no more than ten a second in the mean, and a second one that follows closely waits for nothing either."""


class FramePace:
    """``await turn()`` before each frame; ``hurry`` may be called at any time and as often as one likes."""

    def __init__(self) -> None:
        self._due = 0.0
        """Loop time of the next frame that nothing hurries."""
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """The next frame goes out as soon as the pace allows."""
        self._hurried.set()

    async def turn(self) -> None:
        """Return when a frame is due."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._due):
                await self._hurried.wait()
                await asyncio.sleep(self._due - AHEAD_S - loop.time())
        self._hurried.clear()
        self._due = max(self._due, loop.time()) + FRAME_INTERVAL_S
