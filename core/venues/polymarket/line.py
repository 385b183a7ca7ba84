"""One connection to a channel of this venue: opened, kept awake, read, and given up when it is silent.

The venue wants the text ``PING`` every ten seconds and answers ``PONG``; both say little, for a channel can
go silent behind them (Polymarket reference, section 5.6). Protocol pings every second prove that what was
sent before has arrived; whether the venue still sends is judged by what arrives.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import msgspec

from core.domain.clock import Clocks
from core.venues.connection import keep_pinging, send_all, until_one_ends
from core.venues.depth import DEPTH_MAX, too_deep
from core.venues.socket import Socket, SocketError, SocketFactory

SECOND_NS: Final = 1_000_000_000
PING_NS: Final = 10 * SECOND_NS
PONG_NS_MAX: Final = 5 * SECOND_NS
STRETCH_MAX: Final = 32
"""Messages handled before the loop gets a turn: about a millisecond."""
RETRY_FIRST_S, RETRY_S_MAX = 0.25, 30.0


class GiveUp(msgspec.Struct, frozen=True):
    """The connection cannot be saved: reconnect."""

    reason: str


class Talk(Protocol):
    """What is said on one connection. Never raises for anything a venue could send."""

    def commands(self) -> list[bytes]:
        """What to send now; each is handed out once. The first ones open the channel."""
        ...

    def feed(self, data: bytes, now_ns: int) -> Iterable[Any]:
        """What a message means, as facts."""
        ...

    def tick(self, now_ns: int) -> Iterable[Any]:
        """Deadlines, every second or so."""
        ...


class Line:
    """The connection under a ``Talk``. ``deliver`` is called in the loop and must not block."""

    def __init__(
        self,
        name: str,
        url: str,
        talk: Talk,
        *,
        clocks: Clocks,
        sockets: SocketFactory,
        deliver: Callable[[Any], None],
    ) -> None:
        self._name, self._url, self._talk = name, url, talk
        self._clocks, self._sockets, self._deliver = clocks, sockets, deliver
        self._socket: Socket | None = None
        self.heartbeat_ns: int | None = None
        """When the last answered ping was sent; ``None`` before the first."""
        self._asked_ns: int | None = None
        """When the ``PING`` that has no answer yet was sent."""
        self._ping_ns = 0

    @property
    def open(self) -> bool:
        return self._socket is not None and self.heartbeat_ns is not None

    async def run(self) -> SocketError:
        """One connection from handshake to its end, which is returned."""
        try:
            socket = await self._sockets(self._url, {})
        except SocketError as error:
            return error
        self._socket, self._ping_ns = socket, self._clocks.mono_ns()
        try:
            await self.flush()
            return await until_one_ends(
                {
                    f"{self._name} reader": self._read(socket),
                    f"{self._name} ping": keep_pinging(
                        socket, self._clocks, functools.partial(self._answered, socket)
                    ),
                }
            )
        finally:
            self._socket = None
            await socket.close()

    async def flush(self) -> None:
        """Send what there is to say; without a connection it is said after the next one opens."""
        await send_all(self._socket, self._talk.commands)

    async def _read(self, socket: Socket) -> None:
        stretch = 0
        while True:
            data = await socket.recv()
            if len(data) < 8 and data.strip() == b"PONG":
                self._asked_ns = None
                continue
            if too_deep(data):
                raise SocketError(f"a message nests deeper than {DEPTH_MAX}")
            self._take(self._talk.feed(data, self._clocks.mono_ns()))
            stretch += 1
            if stretch >= STRETCH_MAX:
                stretch = 0
                await asyncio.sleep(0)

    async def _answered(self, socket: Socket, sent_ns: int) -> None:
        self.heartbeat_ns = sent_ns
        await self._ping(socket)
        self._take(self._talk.tick(self._clocks.mono_ns()))
        await self.flush()

    async def _ping(self, socket: Socket) -> None:
        now_ns = self._clocks.mono_ns()
        if self._asked_ns is not None and now_ns - self._asked_ns > PONG_NS_MAX:
            raise SocketError(f"no PONG for {PONG_NS_MAX // SECOND_NS} s")
        if self._asked_ns is None and now_ns - self._ping_ns >= PING_NS:
            self._asked_ns = self._ping_ns = now_ns
            await socket.send(b"PING")

    def _take(self, facts: Iterable[Any]) -> None:
        for fact in facts:
            if isinstance(fact, GiveUp):
                raise SocketError(fact.reason)
            self._deliver(fact)
