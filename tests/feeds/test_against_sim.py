"""The whole set of feeds against the simulated services, in virtual time and on one transport."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.feeds.calendar import bls
from core.feeds.feed import FeedState
from core.feeds.releases import Calendar as ReleaseCalendar
from core.feeds.stations import DAY_MS
from core.feeds.values import ClimateReport, Ensemble, GridForecast, ModelForecast, Observation
from core.sim.feeds.bls import Bureau
from core.sim.feeds.switchboard import Fault
from tests.feeds.simulated import World


def test_every_source_reads_and_a_shift_arrives_within_seconds(virtual: Any) -> None:

    world = World(virtual)
    tomorrow = world.today + timedelta(days=1)

    def model_highs() -> list[float]:
        return [
            v.daily_max_f[tomorrow.isoformat()]
            for v in world.got
            if isinstance(v, ModelForecast) and (v.station, v.model) == ("KNYC", "gfs_seamless")
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
        assert {"bls", "fred-releases"} <= told.keys()
        for name, kinds in (("bls", ("CPI", "JOBS")), ("fred-releases", ("CPI", "FOMC", "GDP", "JOBS"))):
            assert told[name].kinds == kinds
            for kind in kinds:
                coming = world.around.releases.between(now, now + 120 * DAY_MS, kind)
                ahead = [due.at_ms for due in told[name].due if due.kind == kind and due.at_ms > now]
                assert ahead[: len(coming)] == [release.due_ms for release in coming]
        fred = told["fred-releases"].due
        assert all(due.out is (due.at_ms < now) for due in fred if abs(due.at_ms - now) > 60_000)

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
