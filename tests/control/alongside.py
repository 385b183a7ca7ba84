"""For tests of what runs beside an engine: waiting for what a file shows, and what rings meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from core.engine.state import AlarmLevel


async def until(condition: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Yield to the loop until the condition holds: of files and threads nothing tells."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def while_running(work: Coroutine[Any, Any, None], *conditions: Callable[[], object]) -> None:
    """Run the work until one condition after the other has held."""
    task = asyncio.ensure_future(work)
    for condition in conditions:
        await until(condition)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class Said(NamedTuple):
    key: str
    level: AlarmLevel
    what: str
    clears: str


class Alarms:
    """Takes the place of an engine's."""

    def __init__(self) -> None:
        self.rung: dict[str, str] = {}
        """What rings now, by key."""
        self.said: list[Said] = []
        """All that ever rang."""

    def raise_(self, key: str, level: AlarmLevel, what: str, effect: str = "", clears: str = "") -> None:
        self.rung[key] = what
        self.said.append(Said(key, level, what, clears))

    def clear(self, key: str) -> None:
        self.rung.pop(key, None)
