"""Tasks that outlive their caller, held by a strong reference and always observed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Fault = Callable[[str, BaseException], None]
"""Called with the task's name when it ended with an exception."""


class Tasks:
    """A bag of named tasks. A task that fails is reported, never lost."""

    def __init__(self, on_fault: Fault) -> None:
        self._on_fault = on_fault
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_fault(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        running = list(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
