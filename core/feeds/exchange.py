"""What the public services of exchanges have in common: a stream without a key, and the same when asked.

What the stream does not tell of is asked for, at most one question a second for all of it, until it tells
again. Both ways lead through one gate: nothing older than what is held, nothing without a time of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from core.feeds.feed import FeedHealth, FeedState, Tried
from core.feeds.fetch import Body, Failed, Fetcher, NotModified
from core.feeds.polling import Polled
from core.feeds.streaming import Arrival, Dialogue, Heard, Pushed, StreamedFeed
from core.feeds.wiring import Wiring

EVERY_S = 1.0
"""World seconds between questions, whichever of the things it is about."""
UNREADABLE = Heard(fault="a message does not parse")

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True):
    """One GET."""

    path: str
    params: Mapping[str, str] = {}


class Askable(Dialogue, Protocol):
    """A dialogue whose provider can be asked, too."""

    def question(self, name: str, world_ms: int) -> Question:
        """What asks for the newest value of one of ``names``."""
        ...

    def answer(self, name: str, body: Body, at: Arrival) -> Pushed | str:
        """The value, or what is wrong with the answer in a sentence. Never raises."""
        ...


class ExchangeDialogue:
    """What all of them say the same: nothing at the door, and nothing between."""

    beat_s = 0.0

    def __init__(self, url: str, names: tuple[str, ...]) -> None:
        self.names = names
        self._url = url

    def over(self, name: str, world_ms: int) -> bool:
        return False

    def address(self) -> tuple[str, Mapping[str, str]]:
        return self._url, {}

    def beat(self) -> bytes:
        return b""


def message_of(decode: Callable[[bytes], T], data: bytes) -> T | None:
    """A message, or None for what is none."""
    try:
        return decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class StandIn:
    """One thing that is asked for while the stream does not tell of it."""

    def __init__(self, name: str, stream: StreamedFeed, talk: Askable, fetcher: Fetcher, at: Wiring) -> None:
        self.key = name
        self.stale_after_s = at.of.stale_after_s
        self._stream, self._talk, self._fetcher = stream, talk, fetcher
        self._pace, self._clocks = at.pace, at.shared.clocks

    @property
    def newest_ms(self) -> int | None:
        return None if self._stream.over(self.key) else self._stream.newest_ms(self.key)

    async def poll(self) -> Polled | Failed:
        """Ask, if need be."""
        if not self._stream.lacks(self.key):
            return Polled(self._clocks.mono_ns(), changed=False)
        question = self._talk.question(self.key, self._clocks.world_ms())
        async with self._pace.turn(EVERY_S):
            answer = await self._fetcher.get(question.path, question.params)
        if isinstance(answer, NotModified):
            return Failed("not modified, though nothing was held", 304)
        return self._take(answer) if isinstance(answer, Body) else answer

    def _take(self, answer: Body) -> Polled | Failed:
        at = Arrival(answer.received_wall_ms, answer.received_ns, self._clocks.world_ms())
        value = self._talk.answer(self.key, answer, at)
        if isinstance(value, str):
            return Failed(value, 200)
        held_ms = self.newest_ms
        old = held_ms is not None and value.stamp.event_ms < held_ms
        fault = "" if old else self._stream.tell(value, at)
        if fault:
            return Failed(fault, 200)
        return Polled(answer.received_ns, changed=not old, latency_ms=answer.latency_ms)


class ExchangeFeed:
    """Fulfils ``Feed`` for a stream with its stand-ins."""

    def __init__(self, wiring: Wiring, talk: Askable) -> None:
        self.name = wiring.of.label
        self._talk, self._clocks = talk, wiring.shared.clocks
        self._limit_ms = wiring.of.stale_after_s * 1000
        self._stream = stream = wiring.streamed(talk)
        fetcher = wiring.fetcher("api", "application/json")
        asking = msgspec.structs.replace(wiring, every_s=EVERY_S)
        self._asked = asking.polled(
            [StandIn(name, stream, talk, fetcher, wiring) for name in dict.fromkeys(talk.names)]
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream.run(), name=f"feed {self.name} stream")
            group.create_task(self._asked.run(), name=f"feed {self.name} stand-ins")

    async def trial(self) -> Tried:
        """The declaration's probe; how the stream is, where it is down."""
        found, stream = await self._asked.trial(), self._stream.health()
        if stream.state is not FeedState.DOWN:
            return found
        return Tried(found.passed, f"{found.text} Its stream is down: {stream.detail}")

    def health(self) -> FeedHealth:
        """As good as what is held, whichever way it came."""
        stream, asked = self._stream.health(), self._asked.health()
        stream = msgspec.structs.replace(stream, budget=asked.budget)
        silent = [name for name in self._talk.names if self._stream.lacks(name)]
        down = stream.state is FeedState.DOWN
        if silent and all(self._fresh(name) for name in self._talk.names if not self._stream.over(name)):
            why = f"down ({stream.detail})" if down else f"silent on {', '.join(silent)}"
            detail = f"the stream is {why}: asked for instead"
            return msgspec.structs.replace(stream, state=FeedState.OK, detail=detail)
        if down and silent and asked.failures:
            return msgspec.structs.replace(
                stream, detail=f"{stream.detail}; asked for instead, {asked.detail}"
            )
        return stream

    def _fresh(self, name: str) -> bool:
        newest_ms = self._stream.newest_ms(name)
        return newest_ms is not None and self._clocks.world_ms() - newest_ms <= self._limit_ms
