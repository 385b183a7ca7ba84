"""Every market's token on a connection, traded ones on two, none with more tokens than the venue can take."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from core.domain.clock import Clocks
from core.venues.polymarket.books import Books
from core.venues.polymarket.shard import Shard
from core.venues.socket import SocketFactory

if TYPE_CHECKING:
    import random

ASSETS_MAX: Final = 200
"""On one connection; the venue does not say how many it takes."""


class MarketStreams:
    """See module. What one connection loses the other one of a traded token brings."""

    def __init__(
        self,
        url: str,
        books: Books,
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory,
        deliver: Callable[[Any], None],
        assets_max: int = ASSETS_MAX,
    ) -> None:
        self._url, self._books = url, books
        self._clocks, self._rng, self._sockets, self._deliver = clocks, rng, sockets, deliver
        self._assets_max = assets_max
        self._numbers = itertools.count(1)
        self._first: list[Shard] = []
        self._second: list[Shard] = []
        self._unstarted: list[Shard] = []
        self._grown = asyncio.Event()

    async def run(self) -> None:
        """Keep every connection alive until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for shard in self._unstarted:
                    tasks.create_task(shard.run(), name="polymarket market shard")
                self._unstarted.clear()
                self._grown.clear()
                await self._grown.wait()

    async def watch(self, tokens: Iterable[str]) -> None:
        await self._add(self._first, tokens)

    async def double(self, tokens: Iterable[str]) -> None:
        """These are traded: bring them on a second connection as well."""
        await self._add(self._second, tokens)

    async def unwatch(self, token: str) -> None:
        for shard in self._shards:
            if token in shard.tokens:
                shard.unwant(token)
                await shard.flush()

    def give_up(self, token: str, reason: str) -> None:
        for shard in self._shards:
            shard.give_up(token, reason)

    @property
    def heartbeat_ns(self) -> int | None:
        """The oldest of the working connections' last answered pings; ``None``: none works. Books no
        connection brings are in doubt anyway."""
        beats = [shard.heartbeat_ns for shard in self._shards]
        return min((beat for beat in beats if beat is not None), default=None)

    @property
    def idle(self) -> bool:
        """Whether nothing is watched, so that there is nothing to connect for."""
        return not self._first

    @property
    def detail(self) -> str:
        """Why the connection that is missing ended."""
        return next((s.detail for s in self._first if s.heartbeat_ns is None and s.detail), "connecting")

    @property
    def _shards(self) -> Iterable[Shard]:
        return itertools.chain(self._first, self._second)

    async def _add(self, shards: list[Shard], tokens: Iterable[str]) -> None:
        touched: set[Shard] = set()
        for token in tokens:
            if any(token in shard.tokens for shard in shards):
                continue
            shard = next((s for s in shards if len(s.tokens) < self._assets_max), None) or self._grow(shards)
            shard.want(token)
            touched.add(shard)
        for shard in touched:
            await shard.flush()

    def _grow(self, shards: list[Shard]) -> Shard:
        made = Shard(
            self._url,
            self._books,
            self._numbers,
            clocks=self._clocks,
            rng=self._rng,
            sockets=self._sockets,
            deliver=self._deliver,
        )
        shards.append(made)
        self._unstarted.append(made)
        self._grown.set()
        return made
