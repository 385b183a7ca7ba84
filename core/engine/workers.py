"""Background work that must go on: restarted with a growing pause, its faults reported and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from core.execution.tasks import Tasks

RESTART_S = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 60.0
"""A worker that ran this long starts its pauses from the beginning."""

Work = Callable[[], Coroutine[Any, Any, None]]
Report = Callable[[str, BaseException | None, float], None]
"""Called with the worker's name, how it ended (``None``: it returned), and seconds until its restart."""


class Workers:
    """Starts named workers and keeps them running until ``close``."""

    def __init__(self, tasks: Tasks, on_end: Report, on_restart: Callable[[str], None]) -> None:
        self._tasks = tasks
        self._on_end = on_end
        self._on_restart = on_restart

    def keep(self, name: str, work: Work) -> None:
        """Run ``work`` for ever. It should not return; a return is restarted like a fault."""
        self._tasks.spawn(f"keep {name}", self._keep(name, work))

    def every(self, name: str, period_s: float, step: Callable[[], None]) -> None:
        """Call a synchronous step at a steady period."""

        async def loop() -> None:
            while True:
                await asyncio.sleep(period_s)
                step()

        self.keep(name, loop)

    async def _keep(self, name: str, work: Work) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            task = loop.create_task(work(), name=name)
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                task.cancel()
                await asyncio.wait({task})  # it ends before what it uses is closed
                raise
            fault = None if task.cancelled() else task.exception()
            failures = 0 if loop.time() - began > STEADY_S else failures + 1
            pause = RESTART_S[min(failures, len(RESTART_S)) - 1] if failures else RESTART_S[0]
            self._on_end(name, fault, pause)
            await asyncio.sleep(pause)
            self._on_restart(name)
