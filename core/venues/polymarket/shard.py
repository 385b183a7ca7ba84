"""Some tokens of the market channel on one connection, which is replaced now and then before it goes stale.

The new connection must have brought every book before the old one is closed, so a planned replacement is
not seen by anybody (Polymarket reference, section 5.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from core.domain.clock import Clocks
from core.venues.connection import Backoff
from core.venues.polymarket.books import Books
from core.venues.polymarket.line import RETRY_FIRST_S, RETRY_S_MAX, Line
from core.venues.polymarket.market_channel import MarketTalk
from core.venues.socket import SocketError, SocketFactory

if TYPE_CHECKING:
    import random

RENEW_S_MIN, RENEW_S_MAX = 600.0, 900.0
OVERLAP_S_MAX: Final = 30.0
LOOK_S: Final = 0.25


class Connection:
    """One connection with what is said on it and the task that keeps it."""

    def __init__(self, talk: MarketTalk, line: Line, began_ns: int) -> None:
        self.talk, self.line, self.began_ns = talk, line, began_ns
        self.task = asyncio.create_task(line.run(), name=f"polymarket market channel {talk.number}")


class Shard:
    """See module. ``deliver`` hears facts in the loop and must not block."""

    def __init__(
        self,
        url: str,
        books: Books,
        numbers: Iterator[int],
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory,
        deliver: Callable[[Any], None],
    ) -> None:
        self._url, self._books, self._numbers = url, books, numbers
        self._clocks, self._rng, self._sockets, self._deliver = clocks, rng, sockets, deliver
        self._backoff = Backoff(rng, RETRY_FIRST_S, RETRY_S_MAX)
        self._connections: list[Connection] = []
        self.tokens: set[str] = set()
        self.detail = ""
        """Why the last connection ended."""

    @property
    def heartbeat_ns(self) -> int | None:
        """When the last answered ping was sent on the newest connection that works; ``None``: none does."""
        beats = [c.line.heartbeat_ns for c in self._connections if c.line.open]
        return max((beat for beat in beats if beat is not None), default=None)

    def want(self, token: str) -> None:
        self.tokens.add(token)
        for connection in self._connections:
            connection.talk.want([token])

    def unwant(self, token: str) -> None:
        self.tokens.discard(token)
        for connection in self._connections:
            connection.talk.unwant(token)

    async def flush(self) -> None:
        for connection in self._connections:
            await connection.line.flush()

    def give_up(self, token: str, reason: str) -> None:
        """The connection that should bring this token's book is dead."""
        if token in self.tokens:
            for connection in self._connections:
                connection.talk.give_up(reason)

    async def run(self) -> None:
        """Connect, replace and reconnect until cancelled."""
        current = self._start()
        try:
            while True:
                planned_s = RENEW_S_MIN + self._rng.random() * (RENEW_S_MAX - RENEW_S_MIN)
                done, _ = await asyncio.wait({current.task}, timeout=planned_s)
                if done:
                    ended = self._ended(current)
                    await asyncio.sleep(self._backoff.wait_s(self._clocks.mono_ns() - current.began_ns))
                    self.detail = str(ended)
                    current = self._start()
                else:
                    current = await self._replace(current)
        finally:
            for connection in self._connections:
                connection.task.cancel()
            await asyncio.gather(*(c.task for c in self._connections), return_exceptions=True)

    async def _replace(self, current: Connection) -> Connection:
        """A new connection once it has every book; the old one if that does not work out."""
        successor, tries = self._start(), int(OVERLAP_S_MAX / LOOK_S)
        for _ in range(tries):
            await asyncio.wait({current.task, successor.task}, timeout=LOOK_S)
            if successor.task.done():
                break
            if successor.talk.complete or current.task.done():
                await self._close(current)
                return successor
        await self._close(successor)
        return current

    def _start(self) -> Connection:
        talk = MarketTalk(next(self._numbers), self._books, self.tokens, self._clocks)
        line = Line(
            "polymarket market channel",
            self._url,
            talk,
            clocks=self._clocks,
            sockets=self._sockets,
            deliver=self._deliver,
        )
        connection = Connection(talk, line, self._clocks.mono_ns())
        self._connections.append(connection)
        return connection

    async def _close(self, connection: Connection) -> None:
        connection.task.cancel()
        await asyncio.wait({connection.task})
        self._ended(connection)

    def _ended(self, connection: Connection) -> SocketError:
        """Its books are in doubt unless another connection brings them. A fault of ours goes up."""
        self._connections.remove(connection)
        ended = SocketError("replaced") if connection.task.cancelled() else connection.task.result()
        for fact in self._books.lane_ended(connection.talk.number, str(ended), self._clocks.mono_ns()):
            self._deliver(fact)
        return ended
