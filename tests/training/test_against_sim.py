"""An update against the simulator: its past holds what models learn from, and more than its crowd reads."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from core.domain.clock import Clocks
from core.domain.market import Extreme
from core.feeds.budget import Budget
from core.feeds.fetch import Fetcher
from core.feeds.stations import stations
from core.sim.kalshi.auth import KeyRegistry
from core.sim.past import PAST_DAYS
from core.sim.process import Sim, SimOptions, build
from core.sim.weather import half_up
from core.training.archive import Archive, Key
from core.training.asks import LEADS, Provider
from core.training.previous_runs import MODELS
from core.training.update import Outcome, Update, plan
from tests.sim.conftest import FakeClock
from tests.virtual import run_virtual

NYC = stations()["KNYC"]
DAYS = 10
AT = {
    Provider.OPEN_METEO: "http://sim/open-meteo/previous-runs",
    Provider.IEM: "http://sim/iem",
    Provider.KALSHI: "http://sim/trade-api/v2",
}


@pytest.fixture
def sim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sim:
    monkeypatch.setattr(KeyRegistry, "generate", lambda *_: [])
    return build(SimOptions(scenario="demo", seed=4, speed=144.0), FakeClock(), "test", tmp_path)


class Served(httpx.AsyncBaseTransport):
    def __init__(self, sim: Sim) -> None:
        self._feeds, self._kalshi = httpx.ASGITransport(sim.feeds), httpx.ASGITransport(sim.kalshi)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        venue = request.url.path.startswith("/trade-api")
        return await (self._kalshi if venue else self._feeds).handle_async_request(request)


def updated(sim: Sim, path: Path) -> Outcome:
    async def run(loop: Any) -> Outcome:
        clocks = Clocks(FakeClock(), sim.world_clock)
        archive = Archive(path, "KNYC")
        async with httpx.AsyncClient(transport=Served(sim)) as http:
            fetchers = {
                of: Fetcher(http, at, clocks, "test", "*/*", kinds=("json", "csv"), budget=Budget((), clocks))
                for of, at in AT.items()
            }
            asks = plan(archive, NYC, DAYS, clocks.world_ms())
            return await Update({"KNYC": archive}, fetchers, asyncio.sleep, lambda _: None).run(asks)

    return run_virtual(run)


def test_an_update_finds_every_forecast_and_outcome_of_the_worlds_past(sim: Sim, tmp_path: Path) -> None:
    path = tmp_path / "KNYC.csv"
    outcome = updated(sim, path)
    assert (outcome.left, outcome.refused, outcome.given_up) == (0, (), {})
    figures = Archive(path, "KNYC").figures
    assert not [key for key, value in figures.items() if value is None], "no gaps"
    days = sorted({key.day for key in figures})
    assert len(days) == DAYS
    for day in days:
        seen = [o.temp_f for o in sim.world.weather.observations("KNYC", date.fromisoformat(day))]
        assert figures[Key(day, Extreme.HIGH, None, "kalshi")] == half_up(max(seen))
        assert figures[Key(day, Extreme.LOW, None, "kalshi")] == half_up(min(seen))
        assert all(Key(day, Extreme.HIGH, lead, model) in figures for model in MODELS for lead in LEADS)
        assert Key(day, Extreme.LOW, 1, "NBS") in figures


def test_the_past_reaches_far_and_ends_where_it_says(sim: Sim) -> None:
    weather, first = sim.world.weather, sim.world.first_day
    recorded = weather.calendar.world(date(2025, 1, 19))
    assert weather.record("KMIA", recorded - timedelta(days=PAST_DAYS)) is not None
    assert weather.record("KMIA", recorded - timedelta(days=PAST_DAYS + 1)) is None
    for back in (1, 2, 3, 90, 300):
        day = first - timedelta(days=back)
        noon_ms = int(datetime(day.year, day.month, day.day, 17, tzinfo=UTC).timestamp()) * 1000
        assert len(weather.observations("KMIA", day)) == 24
        assert weather.forecast_high_f("KMIA", day, noon_ms) is not None


def test_who_weighs_several_sources_knows_more_than_the_crowd_that_reads_one(sim: Sim) -> None:
    weather, first = sim.world.weather, sim.world.first_day
    days = [first - timedelta(days=back) for back in range(360, 10, -1)]
    for icao in ("KNYC", "KMIA", "KDEN"):
        errors, apart = [], []
        for day in days:
            noon_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
            told, record = weather.forecast_high_f(icao, day, noon_ms), weather.record(icao, day)
            assert told is not None and record is not None
            errors.append(record.observed_high_f - told)
            models = ("ecmwf_ifs025", "icon_seamless", "ncep_hrrr_conus", "nbm")
            apart.append([*(weather.other_shift_f(model, icao, day, 1) for model in models), 1.0])
        y, x = np.array(errors), np.array(apart)
        fitted, *_ = np.linalg.lstsq(x[:200], y[:200], rcond=None)
        alone, several = np.std(y[200:] - y[:200].mean()), np.std(y[200:] - x[200:] @ fitted)
        assert 0.6 < several / alone < 0.93, icao
        belief = weather.belief(icao, days[0])
        assert belief is not None
        assert abs(y.mean() + belief.bias_f) < belief.sigma_f / 4
        assert alone == pytest.approx(belief.sigma_f, rel=0.2), "as the crowd has it"
