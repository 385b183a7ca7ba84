"""The life of a connection, whatever is spoken on it: its two sides at once, and the wait for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from core.venues.socket import SocketError

if TYPE_CHECKING:
    import random

STABLE_NS: Final = 60_000_000_000
"""A connection that lasted this long resets the retry delay."""
EXPONENT_MAX: Final = 10


class Backoff:
    """Full jitter: anything between nothing and a bound that doubles with each short-lived connection."""

    def __init__(self, rng: random.Random, first_s: float, max_s: float) -> None:
        self._rng, self._first_s, self._max_s = rng, first_s, max_s
        self._failures = 0

    def wait_s(self, lived_ns: int) -> float:
        """How long to wait after a connection that ``lived_ns``."""
        if lived_ns >= STABLE_NS:
            self._failures = 0
        bound_s = min(self._max_s, self._first_s * 2.0 ** min(self._failures, EXPONENT_MAX))
        self._failures += 1
        return self._rng.random() * bound_s


async def until_one_ends(sides: dict[str, Coroutine[Any, Any, None]]) -> SocketError:
    """Run the named sides of one connection until the first of them ends, and say why it did.

    Without a task group: before Python 3.13 that takes a stop which arrives together with the end for its
    own, and the desk would reconnect.
    """
    tasks = [asyncio.create_task(side, name=name) for name, side in sides.items()]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    ended = SocketError("ended")
    for end in ends:
        if isinstance(end, SocketError):
            ended = end
        elif end is not None and not isinstance(end, asyncio.CancelledError):
            raise end
    return ended
