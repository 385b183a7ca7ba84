"""A schedule as its publisher serves it, asked for now and then.

It holds as of the moment it is served, whatever its entries' own stamps say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed
from core.feeds.polling import Polled
from core.feeds.releases import Calendar, Due
from core.feeds.wiring import Wiring

STALE_AFTER_S = 35 * 86_400

Ask = Callable[[], Awaitable[tuple[Body, tuple[Due, ...]] | Failed]]


class Published:
    """One source of such a schedule."""

    key = "dates"

    def __init__(self, wiring: Wiring, ask: Ask) -> None:
        self.newest_ms: int | None = None
        self.stale_after_s = wiring.of.stale_after_s
        self._name, self._ask = wiring.of.name, ask
        self._clocks, self._sink = wiring.shared.clocks, wiring.shared.sink
        self._held: tuple[Due, ...] = ()

    async def poll(self) -> Polled | Failed:
        found = await self._ask()
        if isinstance(found, Failed):
            return found
        answer, due = found
        changed, self._held = due != self._held, due
        self.newest_ms = self._clocks.world_ms()
        kinds = tuple(sorted({one.kind for one in due}))
        self._sink(Calendar(self._name, kinds, due, answer.stamp(self.newest_ms), self.stale_after_s))
        return Polled(answer.received_ns, changed, latency_ms=answer.latency_ms)


def published(wiring: Wiring, ask: Ask) -> Feed:
    return wiring.polled([Published(wiring, ask)])
