"""A loop whose time jumps: polling, backoff and breakers are tested in virtual seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.domain.clock import Clocks, WorldClock

REAL_START_MS = 1_795_330_000_000


class _Jumping(selectors.DefaultSelector):
    """Never waits: a wait moves the loop's clock. Waiting for nothing at all is a deadlock."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing is scheduled: deadlock")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def wall_ms(self) -> int:
        return REAL_START_MS + int(self.time() * 1000)

    def mono_ns(self) -> int:
        return int(self.time() * 1e9)


class Virtual:
    """A virtual loop with clocks on it; ``speed`` is that of world time."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()

    def clocks(self, speed: float = 1.0, world_ms: int = REAL_START_MS) -> Clocks:
        return Clocks(self.loop, WorldClock(REAL_START_MS, world_ms, speed))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def run_for(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task that never ends for so many virtual seconds, then cancel it."""

        async def bounded() -> None:
            task = asyncio.ensure_future(work())
            done, _ = await asyncio.wait({task}, timeout=seconds)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if done:
                task.result()

        self.run(bounded())


@pytest.fixture
def virtual() -> Any:
    made = Virtual()
    yield made
    made.loop.close()
