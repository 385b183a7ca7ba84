"""The life of a connection, whatever is spoken on it: its two sides at once, and the wait for the next.

A ping a second proves by its pong that everything sent before it has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final

from core.domain.clock import Clock
from core.venues.socket import Socket, SocketError

if TYPE_CHECKING:
    import random

STABLE_NS: Final = 60_000_000_000
"""A connection that lasted this long resets the retry delay."""
EXPONENT_MAX: Final = 10
PING_S: Final = 1.0
PONG_S_MAX: Final = 6.0


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


async def send_all(socket: Socket | None, commands: Callable[[], Iterable[bytes]]) -> None:
    """Send what there is to say; without a connection it is said after the next one opens."""
    if socket is None:
        return
    try:
        for command in commands():
            await socket.send(command)
    except SocketError:
        # The reader meets the same end and starts the reconnect.
        return


async def keep_pinging(socket: Socket, clock: Clock, answered: Callable[[int], Awaitable[None]]) -> None:
    """Ping once a second until cancelled; ``answered`` hears when (monotonic ns) each answered ping was sent,
    and may send. Raises ``SocketError`` for a peer that neither answers nor reads."""
    while True:
        sent_ns = clock.mono_ns()
        try:
            # Sending is inside: a peer that reads nothing lets neither ping nor command out.
            async with asyncio.timeout(PONG_S_MAX):
                await (await socket.ping())
                await answered(sent_ns)
        except TimeoutError:
            raise SocketError(f"no pong for {PONG_S_MAX:g} s") from None
        elapsed_s = (clock.mono_ns() - sent_ns) / 1_000_000_000
        await asyncio.sleep(max(0.0, PING_S - elapsed_s))
