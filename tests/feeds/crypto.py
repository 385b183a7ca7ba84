"""What the tests of the crypto exchanges have in common: a dialogue to talk to, and a feed of a simulator."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from core.feeds.budget import Budget
from core.feeds.exchange import Askable
from core.feeds.feed import Feed
from core.feeds.pace import Pace
from core.feeds.recording import Recorded
from core.feeds.streaming import Arrival
from core.feeds.values import FeedValue
from core.feeds.wiring import Transports, Wiring
from core.sim.feeds.around import build_around
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from core.venues.socket import Socket, SocketError
from tests.feeds.sockets import into

NOW_MS = 1_795_305_600_000
"""2026-11-22 00:00 UTC."""


def arrival(world_ms: int = NOW_MS) -> Arrival:
    return Arrival(world_ms, 1, world_ms)


class Played:
    """One source's feed against its simulator, in virtual time. Time passes at the machine's pace."""

    def __init__(self, virtual: Any, source: ModuleType, provider: Callable[[Any], Any], **more: Any) -> None:
        self.clocks = virtual.clocks(1.0, more.pop("now_ms", NOW_MS))
        scenario = load_scenario("demo")
        weather = Weather(scenario, Calendar(0), NOW_MS, seed=1)
        around = build_around(weather, virtual.loop, self.clocks.world, 1)
        self.virtual, self.sim = virtual, provider(around)
        self.prices = around.prices
        self.app = Starlette(routes=self.sim.routes())
        self.got: list[FeedValue] = []
        self.recorded: list[Recorded] = []
        of = source.DECLARATION
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        self.opened = 0
        self.refuse: Callable[[], SocketError | None] = lambda: None
        """Why no stream can be opened."""
        self._sockets: list[Socket] = []

        async def connect(url: str, headers: Mapping[str, str]) -> Socket:
            refusal = self.refuse()
            if refusal is not None:
                raise refusal
            self.opened += 1
            self._sockets.append(await into(self.app)(url, headers))
            return self._sockets[-1]

        shared = Transports(
            client, connect, self.clocks, random.Random(1), "test", self.got.append, self.recorded.append
        )
        [paths] = more.pop("addresses").values()
        urls = {role: f"{'ws' if role == 'ws' else 'http'}://sim{path}" for role, path in paths.items()}
        wiring = Wiring(
            of, urls, of.every_s, Budget(of.quotas, self.clocks), Pace(self.clocks), shared, **more
        )
        self.feed: Feed = source.feed(wiring)

    @property
    def talk(self) -> Askable:
        """How a source with a stream is asked while that is away."""
        talk: Askable = self.feed._talk  # type: ignore[attr-defined]
        return talk

    def hang_up(self) -> None:
        """The provider ends the stream."""
        self._sockets[-1]._said.put_nowait({"type": "websocket.close", "code": 1012})  # type: ignore[attr-defined]

    def answers_nothing(self) -> None:
        """The provider takes no questions any more; its stream goes on."""
        self.app.router.routes[:] = [r for r in self.app.router.routes if isinstance(r, WebSocketRoute)]

    def run(self, script: Callable[[], Awaitable[None]]) -> None:
        """Play the script beside the running feed."""

        async def work() -> None:
            running = asyncio.ensure_future(self.feed.run())
            try:
                await script()
            finally:
                running.cancel()
                [ended] = await asyncio.gather(running, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError), ended

        self.virtual.run(work())
