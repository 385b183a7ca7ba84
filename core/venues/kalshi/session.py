"""Keeps one stream connection alive: connect, read, ping, reconnect. All judgement is in ``stream.py``.

We ping once a second on the socket that carries the books; the pong proves that everything sent
before it has arrived. No pong for 6 s ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from core.domain.clock import Clocks
from core.venues.connection import Backoff, keep_pinging, send_all, until_one_ends
from core.venues.http import key_refused
from core.venues.kalshi.answers import refusal, trouble_of
from core.venues.kalshi.books import SECOND_NS
from core.venues.kalshi.facts import Fact, GiveUp, KeyRefused, Oddity, PrivateReady
from core.venues.kalshi.sign import Signer
from core.venues.kalshi.stream import StreamState
from core.venues.lag import Lags
from core.venues.retry import TABLE, Act, CallClass, Trouble
from core.venues.socket import Socket, SocketError, SocketFactory
from core.venues.venue import Link, LinkState

if TYPE_CHECKING:
    import random

RETRY_FIRST_S, RETRY_S_MAX = 0.5, 30.0
REFUSED_RETRY_S: Final = 30.0
"""After a handshake refused for the credential or the rate: trying faster cannot help."""
STRETCH_MAX: Final = 32
"""Messages handled before the loop gets a turn: about a millisecond."""


class Session:
    """The connection's life. ``deliver`` and ``on_link`` are called in the loop and must not block."""

    def __init__(
        self,
        url: str,
        signer: Signer,
        state: StreamState,
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory,
        deliver: Callable[[Fact], None],
        on_link: Callable[[Link], None],
    ) -> None:
        self._url, self._signer, self._state = url, signer, state
        self._clocks, self._rng, self._sockets = clocks, rng, sockets
        self._deliver, self._on_link = deliver, on_link
        self._socket: Socket | None = None
        self._link = Link(LinkState.CONNECTING, 0)
        self._lags = Lags()

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        backoff = Backoff(self._rng, RETRY_FIRST_S, RETRY_S_MAX)
        while True:
            self._set(state=LinkState.CONNECTING, retry_at_ns=None)
            began_ns = self._clocks.mono_ns()
            ended = await self._connection()
            wait_s = backoff.wait_s(self._clocks.mono_ns() - began_ns) + self._refused(ended)
            retry_at_ns = self._clocks.mono_ns() + int(wait_s * SECOND_NS)
            self._set(state=LinkState.DOWN, detail=str(ended), retry_at_ns=retry_at_ns)
            await asyncio.sleep(wait_s)

    def _refused(self, ended: SocketError) -> float:
        """What the answer to a handshake, if there was one, adds to the wait; a refused key is told."""
        if ended.status is None:
            return 0.0
        said = refusal(ended.body)
        trouble = trouble_of(ended.status, said)
        if trouble is Trouble.CLOCK:
            self._deliver(Oddity("clock", "the venue refused our timestamp: clocks differ"))
        match TABLE[CallClass.STREAM][trouble]:
            case Act.LOCK:
                self._deliver(KeyRefused(key_refused(ended.status, said.code)))
                return REFUSED_RETRY_S
            case Act.SLOWLY:
                return REFUSED_RETRY_S
            case _:
                return 0.0

    async def flush(self) -> None:
        """Send what there is to say; without a connection it is said after the next one opens."""
        await send_all(self._socket, self._state.commands)

    async def _connection(self) -> SocketError:
        """One connection from handshake to its end, which is returned."""
        path = urlsplit(self._url).path
        try:
            socket = await self._sockets(self._url, self._signer.headers("GET", path, self._clocks.wall_ms()))
        except SocketError as error:
            return error
        self._socket = socket
        self._state.opened(self._clocks.mono_ns())
        try:
            await self.flush()
            return await until_one_ends(
                {
                    "kalshi stream reader": self._read(socket),
                    "kalshi stream ping": keep_pinging(socket, self._clocks, self._answered),
                }
            )
        finally:
            self._socket = None
            self._state.closed()
            await socket.close()

    async def _read(self, socket: Socket) -> None:
        stretch = 0
        while True:
            data = await socket.recv()
            self._state.sent_ms = None
            self._take(self._state.feed(data, self._clocks.mono_ns()))
            self._note_lag()
            if self._state.waiting:
                await self.flush()
            stretch += 1
            if stretch >= STRETCH_MAX:
                stretch = 0
                await asyncio.sleep(0)

    def _note_lag(self) -> None:
        if self._state.sent_ms is not None:
            self._lags.note(self._clocks.wall_ms() - self._state.sent_ms)

    async def _answered(self, sent_ns: int) -> None:
        self._set(heartbeat_ns=sent_ns, sequence=self._state.sequence, lag_ms=self._lags.worst())
        self._take(self._state.tick(self._clocks.mono_ns()))
        await self.flush()

    def _take(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, GiveUp):
                raise SocketError(fact.reason)
            if isinstance(fact, PrivateReady):
                self._set(state=LinkState.OK, detail="")
            self._deliver(fact)

    def _set(self, **changes: object) -> None:
        self._link = msgspec.structs.replace(self._link, **changes)
        self._on_link(self._link)
