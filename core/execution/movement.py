"""Waiting for the ledger to reach a state, without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Movement:
    """A signal after every change; waiters look again each time."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def signal(self) -> None:
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    async def until(self, reached: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until ``reached()``; false when the time ran out first."""
        try:
            async with asyncio.timeout(timeout_s):
                while not reached():
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    try:
                        await waiter
                    finally:
                        if waiter in self._waiters:  # its time ran out and nothing has moved meanwhile
                            self._waiters.remove(waiter)
        except TimeoutError:
            return reached()
        return True
