"""One source against its own simulator, in virtual time, its clock moved by the test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from core.domain.clock import Clocks
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import Feed
from core.feeds.pace import Pace
from core.feeds.stations import Station, stations
from core.feeds.values import FeedValue
from core.feeds.wiring import Transports, Wiring
from core.sim.feeds.around import SIMULATED_KEY, Around, build_around
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from core.venues.socket import Socket, SocketError

START = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)


async def refuse(url: str, headers: Mapping[str, str]) -> Socket:
    raise SocketError(f"no stream is expected: {url}")


class Served:
    """A demo world of one provider."""

    def __init__(self, virtual: Any, *, speed: float = 1.0, start: datetime = START) -> None:
        self.virtual = virtual
        told = load_scenario("demo")
        # The story holds runs back for its own time: here they come as they do elsewhere.
        scenario = msgspec.structs.replace(
            told, script=msgspec.structs.replace(told.script, hold_forecasts_h=0.0)
        )
        origin_ms = int(start.timestamp() * 1000)
        calendar = Calendar((START.date() - scenario.script.first_day).days)
        self.clocks: Clocks = virtual.clocks(speed, origin_ms)
        self.weather = Weather(scenario, calendar, origin_ms, seed=1)
        self.around: Around = build_around(self.weather, self.clocks.real, self.clocks.world, seed=1)
        self.got: list[FeedValue] = []
        self.asked: list[httpx.URL] = []

    def run(
        self,
        of: Declaration,
        build: Callable[[Wiring], Feed],
        routes: Sequence[BaseRoute],
        urls: Mapping[str, str],
        script: Callable[[Feed], Any],
        icaos: Sequence[str] = ("KNYC", "KMDW"),
        key: str = SIMULATED_KEY,
        follows: tuple[str, ...] = (),
    ) -> Feed:
        """Run the feed while ``script`` runs; returns the feed as it was left."""
        app = httpx.ASGITransport(Starlette(routes=list(routes)))

        async def note(request: httpx.Request) -> None:
            self.asked.append(request.url)

        async def work() -> Feed:
            async with httpx.AsyncClient(transport=app, event_hooks={"request": [note]}) as client:
                agent = "pmconsole/test (test@example.com)"
                shared = Transports(client, refuse, self.clocks, random.Random(1), agent, self.got.append)
                roots = {role: f"http://sim{path}" for role, path in urls.items()}
                held = Key(key) if of.key is not None else None
                budget, pace = Budget(of.quotas, self.clocks), Pace(self.clocks)
                known: list[Station] = [stations()[icao] for icao in icaos]
                feed = build(Wiring(of, roots, of.every_s, budget, pace, shared, held, known, follows))
                task = asyncio.ensure_future(feed.run())
                await script(feed)
                task.cancel()
                ended = await asyncio.gather(task, return_exceptions=True)
                assert isinstance(ended[0], asyncio.CancelledError), ended
                return feed

        found: Feed = self.virtual.run(work())
        return found
