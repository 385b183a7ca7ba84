"""A source that tells by itself: one WebSocket kept open, what is said on it judged by the source's dialogue.

All times here are real, but for the data's own. A connection on which nothing comes for as long as the
dialogue allows is dead, whatever the network says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import FeedHealth, FeedState, Stamp, Tried
from core.feeds.quotes import Average, OptionMark, Quote, Volatility
from core.feeds.recording import Recorded, Recorder, unrecorded
from core.feeds.sanity import time_fault
from core.feeds.values import Sink
from core.venues.connection import Backoff, until_one_ends
from core.venues.socket import Socket, SocketError, SocketFactory

if TYPE_CHECKING:
    import random

RETRY_FIRST_S, RETRY_S_MAX = 1.0, 60.0
REFUSED_S = 3_600.0
"""A refused key, or whom the provider does not serve, is not tried again sooner: only another key or
address helps, and that takes a restart."""
TRIAL_S = 30.0
"""A test waits so long for the next value."""
STRETCH_MAX = 32
"""Messages handled before the loop gets a turn."""
STOOD_STILL_S = 0.5
"""A silence noticed so much too late was ours: what came meanwhile lies unread."""

Pushed = Quote | Average | Volatility | OptionMark


class Arrival(msgspec.Struct, frozen=True):
    """When a message came."""

    wall_ms: int
    ns: int
    world_ms: int

    def stamp(self, event_ms: int, published_ms: int | None = None) -> Stamp:
        return Stamp(event_ms, self.wall_ms, self.ns, published_ms)


class Heard(msgspec.Struct, frozen=True):
    """What a message came to."""

    values: tuple[Pushed, ...] = ()
    replies: tuple[bytes, ...] = ()
    """To be sent at once."""
    fault: str = ""
    """What is wrong with it, or what the provider refuses, in a sentence; the connection goes on."""
    ends: bool = False
    """Whether the connection is to be opened anew."""
    key_refused: bool = False


class Dialogue(Protocol):
    """What one provider wants to hear and says. Holds nothing of an ended connection after ``greet``."""

    names: tuple[str, ...]
    """What it is to tell of."""
    silent_s: float
    """Without a message for so long the connection is dead."""
    beat_s: float
    """How often ``beat`` is sent; 0 never."""

    def over(self, name: str, world_ms: int) -> bool:
        """Whether there is nothing more to be told of it, ever: it is no lack that nothing comes."""
        ...

    def address(self) -> tuple[str, Mapping[str, str]]:
        """URL and headers of the handshake; they may hold the key."""
        ...

    def greet(self) -> tuple[bytes, ...]:
        """The first messages of a new connection."""
        ...

    def beat(self) -> bytes: ...

    def hear(self, data: bytes, at: Arrival) -> Heard:
        """Judge one message. Never raises for what the other side says."""
        ...


class StreamedFeed:
    """Fulfils ``Feed`` for one connection."""

    def __init__(
        self,
        declaration: Declaration,
        dialogue: Dialogue,
        sockets: SocketFactory,
        clocks: Clocks,
        rng: random.Random,
        sink: Sink,
        *,
        key: Key | None = None,
        record: Recorder = unrecorded,
    ) -> None:
        self.name = declaration.label
        self._of, self._dialogue, self._sockets = declaration, dialogue, sockets
        self._clocks, self._rng, self._sink = clocks, rng, sink
        self._key, self._record = key, record
        self._newest: dict[str, int] = {}
        self._heard_ns: dict[str, int] = {}
        """When the running connection last told of each."""
        self._final = False
        self._opened_ns: int | None = None
        self._state = FeedState.WAITING
        self._detail = "connecting"
        self._fault = ""
        self._failures = 0
        self._retry_at_ns: int | None = None
        self._received_ns: int | None = None
        self._latency_ms: int | None = None
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        backoff = Backoff(self._rng, RETRY_FIRST_S, RETRY_S_MAX)
        while True:
            self._retry_at_ns = None
            if self._state is FeedState.AUTH:  # what comes of this one may have another reason
                self._state, self._detail = FeedState.WAITING, "connecting"
            began_ns = self._clocks.mono_ns()
            ended = await self._connection()
            self._failures += 1
            self._fault = ""
            wait_s = backoff.wait_s(self._clocks.mono_ns() - began_ns)
            final = self._of.refusals.get(ended.status or 0, "")
            self._final = bool(final)
            if final or self._state is FeedState.AUTH:
                wait_s = REFUSED_S
            if self._state is not FeedState.AUTH:
                self._state, self._detail = FeedState.DOWN, final or clean_text(self._hidden(str(ended)), 160)
            self._retry_at_ns = self._clocks.mono_ns() + int(wait_s * 1e9)
            self._news.set()
            await asyncio.sleep(wait_s)

    async def trial(self) -> Tried:
        """Wait for the next value, or for the connection to end or to be found refused."""
        began_ns = self._clocks.mono_ns()
        self._news.clear()
        if self._state in (FeedState.OK, FeedState.WAITING):
            try:
                async with asyncio.timeout(TRIAL_S):
                    await self._news.wait()
            except TimeoutError:
                return Tried(False, f"Nothing usable came within {TRIAL_S:g} s: {self.health().detail}.")
        if self._state is not FeedState.OK:
            return Tried(False, f"It is not connected: {self._detail}.")
        waited_ms = (self._clocks.mono_ns() - began_ns) // 1_000_000
        return Tried(
            True, f"A value came after {waited_ms} ms, {self._latency_ms} ms behind the time it is dated."
        )

    def lacks(self, name: str) -> bool:
        """Whether it does not tell of something: the connection is down, or has said nothing of it for as
        long as a value lives. A provider that refuses us for good is not asked another way."""
        if self._final or self._state is FeedState.AUTH or self.over(name):
            return False
        if self._state is FeedState.DOWN:
            return True
        heard_ns = self._heard_ns.get(name, self._opened_ns)
        limit_s = self._clocks.world.real_seconds(self._of.stale_after_s)
        return heard_ns is not None and self._clocks.mono_ns() - heard_ns > limit_s * 1e9

    def over(self, name: str) -> bool:
        """Whether nothing more will ever be told of it."""
        return self._dialogue.over(name, self._clocks.world_ms())

    def newest_ms(self, name: str) -> int | None:
        """Event time of the newest value of it, whichever way it came."""
        return self._newest.get(name)

    def tell(self, value: Pushed, at: Arrival) -> str:
        """Hand on one value that passes the gate of its time; else what is wrong with it."""
        name, event_ms = name_of(value), value.stamp.event_ms
        wrong = time_fault(event_ms, self._newest.get(name), at.world_ms)
        if wrong:
            return f"{name} refused: {wrong}"
        self._newest[name] = event_ms
        self._received_ns = at.ns
        self._latency_ms = max(0, self._clocks.world.real_ms(at.world_ms - event_ms))
        self._sink(value)
        return ""

    def health(self) -> FeedHealth:
        world_ms, limit_ms = self._clocks.world_ms(), self._of.stale_after_s * 1000
        over = [name for name in self._dialogue.names if self.over(name)]
        held = {name: at for name, at in self._newest.items() if name not in over}
        missing = [name for name in self._dialogue.names if name not in self._newest and name not in over]
        stale = [
            f"{name} {(world_ms - at) // 1000}s old" for name, at in held.items() if world_ms - at > limit_ms
        ]
        state = self._state
        if state is FeedState.OK:
            state = FeedState.WAITING if not held else FeedState.STALE if stale else FeedState.OK
        details = [self._fault, self._detail if self._state is not FeedState.OK else "", *stale]
        details += [f"waiting for {', '.join(missing)}"] if missing else []
        details += [f"{', '.join(over)} expired: take it out of follows"] if over else []
        return FeedHealth(
            name=self.name,
            state=state,
            newest_event_ms=min(held.values(), default=None),
            received_ns=self._received_ns,
            stale_after_s=self._of.stale_after_s,
            retry_at_ns=self._retry_at_ns,
            failures=self._failures,
            detail=next((detail for detail in details if detail), ""),
            source=self._of.name,
            family=self._of.family.value,
            latency_ms=self._latency_ms,
        )

    # --- one connection ------------------------------------------------------------------------

    async def _connection(self) -> SocketError:
        url, headers = self._dialogue.address()
        try:
            socket = await self._sockets(url, headers)
        except SocketError as refused:
            if self._key is not None and refused.status in (401, 403):
                self._state = FeedState.AUTH
                self._detail = f"the key is refused (HTTP {refused.status})"
            return refused
        self._state, self._detail = FeedState.WAITING, ""
        self._heard_ns.clear()
        self._final, self._opened_ns = False, self._clocks.mono_ns()
        try:
            for message in self._dialogue.greet():
                await self._say(socket, message)
            sides = {"read": self._read(socket, url)}
            if self._dialogue.beat_s:
                sides["beat"] = self._beat(socket)
            return await until_one_ends({f"feed {self.name} {name}": side for name, side in sides.items()})
        except SocketError as ended:
            return ended
        finally:
            await socket.close()

    async def _read(self, socket: Socket, url: str) -> None:
        what = self._hidden(url)
        while True:
            for _ in range(STRETCH_MAX):
                data = await self._next(socket)
                at = Arrival(self._clocks.wall_ms(), self._clocks.mono_ns(), self._clocks.world_ms())
                body = self._key.hidden_in(data) if self._key is not None else data
                self._record(Recorded(self._of.name, what, 0, {}, at.wall_ms, at.ns, at.world_ms, body))
                heard = self._dialogue.hear(body, at)
                self._take(heard, at)
                for reply in heard.replies:
                    await self._say(socket, reply)
                if heard.key_refused:
                    self._state, self._detail = (
                        FeedState.AUTH,
                        self._hidden(heard.fault) or "the key is refused",
                    )
                if heard.key_refused or heard.ends:
                    raise SocketError(self._hidden(heard.fault) or "the provider asked for a new connection")
            await asyncio.sleep(0)

    async def _next(self, socket: Socket) -> bytes:
        """The next message. Raises ``SocketError`` where none comes for as long as the dialogue allows; a
        machine that slept, or an engine that was held up, has not listened and does so first."""
        silent_s = self._dialogue.silent_s
        while True:
            began_ns = self._clocks.mono_ns()
            try:
                async with asyncio.timeout(silent_s):
                    return await socket.recv()
            except TimeoutError:
                if (self._clocks.mono_ns() - began_ns) / 1e9 < silent_s + STOOD_STILL_S:
                    raise SocketError(f"nothing came for {silent_s:g} s") from None

    async def _beat(self, socket: Socket) -> None:
        while True:
            await asyncio.sleep(self._dialogue.beat_s)
            await self._say(socket, self._dialogue.beat())

    async def _say(self, socket: Socket, message: bytes) -> None:
        """A peer that talks and takes nothing would hold up whoever reads."""
        try:
            async with asyncio.timeout(self._dialogue.silent_s):
                await socket.send(message)
        except TimeoutError:
            raise SocketError(f"it took no message for {self._dialogue.silent_s:g} s") from None

    def _take(self, heard: Heard, at: Arrival) -> None:
        self._received_ns = at.ns
        fault = heard.fault
        for value in heard.values:
            wrong = self.tell(value, at)
            if wrong:
                fault = wrong
                continue
            self._heard_ns[name_of(value)] = at.ns
            self._state, self._detail, self._failures = FeedState.OK, "", 0
            self._news.set()
        if fault or heard.values:  # a heartbeat makes nothing good
            self._fault = self._hidden(fault)

    def _hidden(self, text: str) -> str:
        return self._key.hidden(text) if self._key is not None else text


def name_of(value: Pushed) -> str:
    """What it is about, as ``Dialogue.names`` has it."""
    return value.instrument if isinstance(value, OptionMark) else value.name
