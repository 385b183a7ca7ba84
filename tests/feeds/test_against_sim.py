"""The whole set of feeds against the simulated services, in virtual time and on one transport."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.feeds.calendar import bls
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import FeedState
from core.feeds.registry import Chosen, build_feeds, declarations
from core.feeds.releases import Calendar as ReleaseCalendar
from core.feeds.stations import DAY_MS, stations
from core.feeds.values import ClimateReport, Ensemble, FeedValue, GridForecast, ModelForecast, Observation
from core.feeds.wiring import Transports
from core.sim.feeds.app import addresses, build_feeds_app
from core.sim.feeds.around import SIMULATED_KEY, build_around
from core.sim.feeds.bls import Bureau
from core.sim.feeds.switchboard import Fault, Switches
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from tests.feeds.sockets import into

SPEED = 144.0


def chosen(of: Declaration) -> Chosen:
    """Everything the simulator serves."""
    served = addresses("http://sim")
    key = Key(SIMULATED_KEY) if of.key is not None else None
    return Chosen(of.name in served, "not served", served.get(of.name, {}), key=key)


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
        around = self.around = build_around(self.weather, self.clocks.real, self.clocks.world, seed=1)
        app = build_feeds_app(around, self.switches)
        self.got: list[FeedValue] = []
        self.today = today.date()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        agent = "pmconsole/test (test@example.com)"
        self.feeds = build_feeds(
            {of.name: chosen(of) for of in declarations()},
            [stations()[icao] for icao in scenario.stations],
            Transports(self.client, into(app), self.clocks, random.Random(1), agent, self.got.append),
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
        assert set(world.states().values()) <= {FeedState.OK, FeedState.OFF}
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
        for provider in ("nws", "open-meteo"):
            world.switches.flip(provider, Fault.DOWN)
        await asyncio.sleep(8)
        states = world.states()
        assert states["METEO"] is FeedState.DOWN
        assert states["NWS"] is FeedState.DOWN
        assert states["OBS"] is FeedState.DOWN
        world.switches.on.clear()
        await asyncio.sleep(6)
        assert {world.states()[n] for n in ("METEO", "NWS", "OBS")} == {FeedState.OK}

    world.run(script)


def test_the_simulated_schedules_are_read_as_its_releases(virtual: Any) -> None:
    world = World(virtual)

    async def script() -> None:
        await asyncio.sleep(3)
        now = world.clocks.world_ms()
        told = {value.source: value for value in world.got if isinstance(value, ReleaseCalendar)}
        assert {"BLS", "FREDCAL"} <= told.keys()
        for name, kinds in (("BLS", ("CPI", "JOBS")), ("FREDCAL", ("CPI", "FOMC", "GDP", "JOBS"))):
            assert told[name].kinds == kinds
            for kind in kinds:
                coming = world.around.releases.between(now, now + 120 * DAY_MS, kind)
                ahead = [due.at_ms for due in told[name].due if due.kind == kind and due.at_ms > now]
                assert ahead[: len(coming)] == [release.due_ms for release in coming]

    world.run(script)


def test_a_release_the_bureau_moves_is_read_where_it_went(virtual: Any) -> None:
    world = World(virtual)
    bureau = Bureau(world.around)
    app = Starlette(routes=bureau.routes())

    async def coming() -> dict[str, int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            url = "http://sim/bls/schedule/news_release/bls.ics"
            assert (await client.get(url)).status_code == 403  # nobody to write to
            answer = await client.get(url, headers={"User-Agent": "me@example.com"})
        due = bls.parse(answer.text)
        assert not isinstance(due, str)
        now = world.clocks.world_ms()
        return {
            kind: min(d.at_ms for d in due if d.kind == kind and d.at_ms > now) for kind in ("CPI", "JOBS")
        }

    before = virtual.run(coming())
    bureau.moved["CPI"] = 12 * DAY_MS
    after = virtual.run(coming())
    assert after == {"CPI": before["CPI"] + 12 * DAY_MS, "JOBS": before["JOBS"]}
