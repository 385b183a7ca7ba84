"""A desk's feeds on the simulated services, without a network: one application, one virtual loop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from core.feeds.declaration import Declaration, Key
from core.feeds.feed import Feed, FeedHealth, FeedState
from core.feeds.recording import Recorder, unrecorded
from core.feeds.registry import Chosen, build_feeds, declarations
from core.feeds.stations import stations
from core.feeds.values import FeedValue
from core.feeds.wiring import Transports
from core.sim.feeds.app import addresses, build_feeds_app
from core.sim.feeds.around import SIMULATED_KEY, build_around
from core.sim.feeds.switchboard import Switches
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from tests.feeds.sockets import into

SPEED = 144.0
STARTS = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)
"""A Tuesday on which everything trades."""
AGENT = "pmconsole/test (test@example.com)"


class World:
    """A demo world and every source the simulator serves, or the named ones."""

    def __init__(
        self,
        virtual: Any,
        *,
        only: Collection[str] = (),
        speed: float = SPEED,
        starts: datetime = STARTS,
        seed: int = 1,
        key: str = SIMULATED_KEY,
        record: Recorder = unrecorded,
        follows: Mapping[str, tuple[str, ...]] | None = None,
        urls: Mapping[str, Mapping[str, str]] | None = None,
        edge: Callable[[Any], Any] = lambda app: app,
    ) -> None:
        self.virtual = virtual
        scenario = load_scenario("demo")
        origin_ms = int(starts.timestamp() * 1000)
        calendar = Calendar((starts.date() - scenario.script.first_day).days)
        self.clocks = virtual.clocks(speed, origin_ms)
        self.weather = Weather(scenario, calendar, origin_ms, seed)
        self.today = starts.date()
        self.switches = Switches()
        self.around = build_around(self.weather, self.clocks.real, self.clocks.world, seed)
        if key != SIMULATED_KEY:
            self.around = msgspec.structs.replace(self.around, key=key)
        self.asked: dict[str, list[float]] = {}
        """When each provider was asked or connected to, in the loop's seconds."""
        app = edge(self._noting(build_feeds_app(self.around, self.switches)))
        self.got: list[FeedValue] = []
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        self._only, self._key, self._follows, self._urls = only, key, follows or {}, urls or {}
        self.feeds: tuple[Feed, ...] = build_feeds(
            {of.name: self._chosen(of) for of in declarations()},
            [stations()[icao] for icao in scenario.stations],
            Transports(self.client, into(app), self.clocks, random.Random(1), AGENT, self.got.append, record),
        )

    def states(self) -> dict[str, FeedState]:
        return {feed.name: feed.health().state for feed in self.feeds}

    def health(self, label: str) -> FeedHealth:
        return next(feed.health() for feed in self.feeds if feed.name == label)

    def run(self, script: Callable[[], Awaitable[None]]) -> None:
        """Run all feeds while the script does, then cancel them; an error of one of them is raised."""

        async def work() -> None:
            async with self.client:
                tasks = [asyncio.ensure_future(feed.run()) for feed in self.feeds]
                await script()
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(e, asyncio.CancelledError) for e in ended), ended

        self.virtual.run(work())

    def _chosen(self, of: Declaration) -> Chosen:
        served = addresses("http://sim").get(of.name)
        on = served is not None and (not self._only or of.name in self._only)
        key = Key(self._key) if of.key is not None else None
        urls = self._urls.get(of.name, served or {})
        return Chosen(on, "not served", urls, key=key, follows=self._follows.get(of.name, ()))

    def _noting(self, app: Any) -> Any:
        async def noted(scope: Any, receive: Any, send: Any) -> None:
            provider = scope["path"].split("/", 2)[1]
            self.asked.setdefault(provider, []).append(self.virtual.loop.time())
            await app(scope, receive, send)

        return noted
