"""The whole set of feeds against the simulated services, in virtual time and on one transport."""

import asyncio
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from core.feeds.feed import FeedState
from core.feeds.registry import Chosen, build_feeds
from core.feeds.stations import stations
from core.feeds.values import ClimateReport, Ensemble, FeedValue, GridForecast, ModelForecast, Observation
from core.feeds.wiring import Transports
from core.sim.feeds.app import addresses, build_feeds_app
from core.sim.feeds.around import build_around
from core.sim.feeds.switchboard import Switches
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from core.venues.socket import Socket, SocketError

SPEED = 144.0


async def refuse(url: str, headers: Mapping[str, str]) -> Socket:
    raise SocketError(f"no stream is expected: {url}")


class World:
    """A demo world with its feeds polled for a while."""

    def __init__(self, virtual: Any) -> None:
        self.virtual = virtual
        scenario = load_scenario("demo")
        today = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
        origin_ms = int(today.timestamp() * 1000)
        calendar = Calendar((today.date() - scenario.script.first_day).days)
        self.clocks = virtual.clocks(SPEED, origin_ms)
        self.weather = Weather(scenario, calendar, origin_ms, seed=1)
        self.switches = Switches()
        around = build_around(self.weather, self.clocks.real, self.clocks.world, seed=1)
        app = build_feeds_app(around, self.switches)
        self.got: list[FeedValue] = []
        self.today = today.date()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        agent = "pmconsole/test (test@example.com)"
        self.feeds = build_feeds(
            {name: Chosen(True, urls=urls) for name, urls in addresses("http://sim").items()},
            [stations()[icao] for icao in scenario.stations],
            Transports(self.client, refuse, self.clocks, random.Random(1), agent, self.got.append),
        )

    def states(self) -> dict[str, FeedState]:
        return {feed.name: feed.health().state for feed in self.feeds}

    def run(self, script: Any) -> None:

        async def work() -> None:
            async with self.client:
                tasks = [asyncio.ensure_future(feed.run()) for feed in self.feeds]
                await script()
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(e, asyncio.CancelledError) for e in ended), ended

        self.virtual.run(work())


def test_every_source_reads_and_a_shift_arrives_within_seconds(virtual: Any) -> None:

    world = World(virtual)
    tomorrow = world.today + timedelta(days=1)

    def model_highs() -> list[float]:
        return [
            v.daily_max_f[tomorrow.isoformat()]
            for v in world.got
            if isinstance(v, ModelForecast) and v.station == "KNYC"
        ]

    async def script() -> None:
        await asyncio.sleep(5)
        assert set(world.states().values()) == {FeedState.OK}
        kinds = (GridForecast, ModelForecast, Ensemble, Observation, ClimateReport)
        for kind in kinds:
            assert {v.station for v in world.got if isinstance(v, kind)} == set(world.weather.stations)
        assert all(v.stamp.event_ms <= world.clocks.world_ms() for v in world.got)
        before = model_highs()[-1]
        world.weather.publish("KNYC", tomorrow, 0.0, world.clocks.world_ms())
        await asyncio.sleep(2.5)
        assert model_highs()[-1] - before == pytest.approx(1.5)

    world.run(script)


def test_a_feed_that_drops_is_down_within_seconds_and_comes_back(virtual: Any) -> None:

    world = World(virtual)

    async def script() -> None:
        await asyncio.sleep(5)
        world.switches.down |= {"nws", "open-meteo"}
        await asyncio.sleep(8)
        states = world.states()
        assert states["METEO"] is FeedState.DOWN
        assert states["NWS"] is FeedState.DOWN
        assert states["OBS"] is FeedState.DOWN
        world.switches.down.clear()
        await asyncio.sleep(6)
        assert {world.states()[n] for n in ("METEO", "NWS", "OBS")} == {FeedState.OK}

    world.run(script)
