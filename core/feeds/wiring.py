"""What a source is built with: its declaration, what the operator set, the desk's transports and clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from core.domain.clock import Clocks
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Family, Key, KeyNeed, Rides
from core.feeds.fetch import READ_S, SLOW_READ_S, Fetcher, Secrecy
from core.feeds.memory import Memory
from core.feeds.pace import Pace
from core.feeds.polling import Asker, PolledFeed, Source
from core.feeds.recording import Recorder, unrecorded
from core.feeds.stations import Station
from core.feeds.streaming import Dialogue, StreamedFeed
from core.feeds.values import Sink
from core.venues.socket import SocketFactory

if TYPE_CHECKING:
    import random


class Transports(msgspec.Struct, frozen=True):
    """What all sources of a desk share. The caller owns ``http`` and closes it."""

    http: httpx.AsyncClient
    sockets: SocketFactory
    clocks: Clocks
    rng: random.Random
    user_agent: str
    sink: Sink
    record: Recorder = unrecorded
    directory: Path | None = None
    """Where the operator's own files are; ``None``: there are none."""
    memory: Memory = msgspec.field(default_factory=Memory)


class Wiring(msgspec.Struct, frozen=True):
    """Everything one source's builder takes."""

    of: Declaration
    urls: Mapping[str, str]
    """By the declaration's roles."""
    every_s: float
    budget: Budget
    pace: Pace
    """Shared by all sources that ask the same addresses."""
    shared: Transports
    key: Key | None = None
    stations: Sequence[Station] = ()
    """Whose weather is traded."""
    follows: tuple[str, ...] = ()
    """What else is to be told of, by the desk's names: pairs, indices, sports."""

    def fetcher(
        self, role: str, accept: str, kinds: tuple[str, ...] = ("json",), *, private: bool = False
    ) -> Fetcher:
        """A client of one of the source's services, within its budget. Of a ``private`` address nothing but
        the host is ever written or shown: the operator's key may be in it."""
        need, key = self.of.key, self.key
        if private:
            need, key = _IN_ADDRESS, _secret_of(self.urls[role])
        return Fetcher(
            self.shared.http,
            self.urls[role],
            self.shared.clocks,
            self.shared.user_agent,
            accept,
            feed=self.of.name,
            kinds=kinds,
            secrecy=Secrecy(need, key) if need is not None and key is not None else None,
            budget=self.budget,
            record=self.shared.record,
            read_s=SLOW_READ_S if self.of.family is Family.WEATHER else READ_S,
        )

    def polled(self, sources: Sequence[Source]) -> PolledFeed:
        """A feed that asks."""
        return PolledFeed(
            self.of, sources, self.every_s, self.shared.clocks, self.shared.rng,
            budget=self.budget, key=self.key, probe=self._probe(),
        )  # fmt: skip

    def _probe(self) -> Asker | None:
        probe = self.of.probe
        if probe is None:
            return None
        fetcher = self.fetcher(probe.role, probe.accept, probe.kinds, private=probe.private)
        if probe.body:
            return lambda: fetcher.post(probe.path, probe.body, cost=probe.cost)
        return lambda: fetcher.get(probe.path, probe.params, cost=probe.cost)

    def streamed(self, dialogue: Dialogue) -> StreamedFeed:
        """A feed that is told."""
        at = self.shared
        return StreamedFeed(
            self.of, dialogue, at.sockets, at.clocks, at.rng, at.sink, key=self.key, record=at.record
        )


SECRET_CHARACTERS_MIN = 12
_IN_ADDRESS = KeyNeed(Rides.ADDRESS, "", "It is in the address that the operator sets.")


def _secret_of(url: str) -> Key:
    """All of an address behind its host, and each part of that which is long enough to be a key."""
    at = urlsplit(url)
    parts = [*at.path.split("/"), *(value for _, value in parse_qsl(at.query))]
    text = at.path.strip("/") + (f"?{at.query}" if at.query else "")
    return Key(text, (part for part in parts if len(part) >= SECRET_CHARACTERS_MIN))
