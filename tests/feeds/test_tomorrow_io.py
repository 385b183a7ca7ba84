"""Tomorrow.io against its simulator: climate days from hours, quotas from headers, ages by change."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.declaration import Per
from core.feeds.feed import Feed, FeedState
from core.feeds.fetch import Failed
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.tomorrow_io import FORECAST, Answer, every_s, forecast_feed, read_hours, refused
from core.feeds.values import ModelForecast
from core.sim.feeds import tomorrow_io as simulated
from core.sim.feeds.tomorrow_io import ADDRESSES, Quirks
from tests.feeds.served import Served

NYC = stations()["KNYC"]
RECORDED = Path(__file__).parents[3] / "shared/data/feeds/tomorrow_io"


def ran(
    virtual: Any, hours: float, quirks: Quirks | None = None, key: str = "simulated"
) -> tuple[Served, Feed]:
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(hours * 3600)

    routes = simulated.routes(world.around, quirks)
    return world, world.run(FORECAST, forecast_feed, routes, ADDRESSES["tomorrow-io"], script, key=key)


def forecasts(world: Served) -> list[ModelForecast]:
    return [v for v in world.got if isinstance(v, ModelForecast)]


def test_hours_become_whole_climate_days_and_no_others(virtual: Any) -> None:
    world, feed = ran(virtual, 0.5)
    assert feed.health().state is FeedState.OK
    mine = next(v for v in forecasts(world) if v.station == "KNYC")
    assert mine.model == "tomorrow-io"
    assert "2026-11-22" not in mine.daily_max_f, "the day had begun when it was asked"
    start_ms, end_ms = climate_day_bounds(NYC, "2026-11-23")
    hours = [f for at, f in mine.hourly if start_ms <= at < end_ms]
    assert len(hours) == 24
    assert mine.daily_max_f["2026-11-23"] == max(hours) and mine.daily_min_f["2026-11-23"] == min(hours)


def test_it_is_asked_once_an_hour_and_its_own_count_is_taken_over(virtual: Any) -> None:
    world, feed = ran(virtual, 3.5)
    assert len(world.asked) == 2 * 4
    left = {one.quota.per: one.left for one in feed.health().budget}
    assert left[Per.DAY] == 500 - 8


def test_the_same_hours_are_as_old_as_their_last_change(virtual: Any) -> None:
    world, feed = ran(virtual, 4.5, Quirks(frozen_ms=1_795_359_900_000))
    assert len(forecasts(world)) == 2, "one a station"
    assert feed.health().state is FeedState.STALE and feed.health().unchanged_polls >= 6


def test_it_forecasts_anew_every_hour_while_the_atmosphere_has_no_news(virtual: Any) -> None:
    world = Served(virtual)
    states: list[FeedState] = []

    async def script(feed: Feed) -> None:
        for _ in range(6):
            await asyncio.sleep(3_500)
            states.append(feed.health().state)

    routes = simulated.routes(world.around)
    world.run(FORECAST, forecast_feed, routes, ADDRESSES["tomorrow-io"], script, key="simulated")
    assert set(states) == {FeedState.OK}
    mine = [v for v in forecasts(world) if v.station == "KNYC"]
    assert len(mine) == 6
    _, traded_ms = climate_day_bounds(NYC, "2026-11-23")
    told = [{at: f for at, f in v.hourly if at < traded_ms} for v in mine]
    first, last = told[2], told[-1]  # of one run: the noon's came before
    assert all(first[at] == f for at, f in last.items()), "nothing new of what markets are about"


def test_a_spent_quota_is_named_and_nothing_hammers(virtual: Any) -> None:
    world, feed = ran(virtual, 1.0, Quirks(spent=True))
    assert forecasts(world) == [] and feed.health().state is not FeedState.AUTH
    assert len(world.asked) <= 10
    assert "quota" in feed.health().detail


def test_a_wrong_key_is_not_asked_with_again(virtual: Any) -> None:
    world, feed = ran(virtual, 0.9, key="wrong-key-text")
    assert feed.health().state is FeedState.AUTH
    assert len(world.asked) <= 4
    assert "wrong-key-text" not in feed.health().detail


@pytest.mark.parametrize(
    ("quirks", "words"),
    [
        (Quirks(celsius=True), "outside what stations see"),
        (Quirks(elsewhere=True), "another place"),
        (Quirks(nulls=True), "no temperatures"),
    ],
)
def test_what_cannot_be_the_stations_forecast_is_refused(virtual: Any, quirks: Quirks, words: str) -> None:
    world, feed = ran(virtual, 0.1, quirks)
    assert forecasts(world) == [] and words in feed.health().detail


def test_refusals_mean_what_their_code_says() -> None:
    def failed(status: int, code: int, *, key: bool) -> Failed:
        body = json.dumps({"code": code, "type": "T", "message": "words"}).encode()
        return refused(Failed(f"HTTP {status}", status, key_refused=key, body=body))

    assert "quota is spent: words" in failed(429, 429_001, key=False).reason
    assert failed(401, 401_001, key=True).key_refused
    assert failed(403, 403_001, key=True).key_refused
    assert refused(Failed("HTTP 500", 500, body=b"<html>")).reason == "HTTP 500"


def test_many_stations_are_asked_less_often_than_the_days_calls_allow() -> None:
    many = list(stations().values())
    assert every_s(many[:20], 3600.0) == 3600.0
    assert 86_400 / every_s(many, 3600.0) * len(many) <= 500


TEMPERATURES = st.dictionaries(st.just("temperature"), st.one_of(st.none(), st.floats(), st.text(max_size=3)))
HOURS = st.fixed_dictionaries(
    {"time": st.one_of(st.text(max_size=6), st.just("2026-11-22T07:00:00Z")), "values": TEMPERATURES}
)
PLACES = st.fixed_dictionaries({"lat": st.floats(40, 41), "lon": st.floats(-75, -73)})


@given(st.lists(HOURS, max_size=4), PLACES)
def test_no_answer_gives_an_absurd_hour(hourly: list[dict[str, Any]], place: dict[str, float]) -> None:
    body = {"timelines": {"hourly": hourly}, "location": place}
    found = read_hours(msgspec.convert(body, Answer), NYC)
    if not isinstance(found, Failed):
        assert all(at % HOUR_MS == 0 and -60 <= f <= 140 for at, f in found.items())


def test_recorded_values_hold_their_temperature_by_the_hour() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded Tomorrow.io timelines are not here")
    recorded = json.loads((RECORDED / "timelines_1hour.json").read_text())
    rows = recorded["data"]["timelines"][0]["intervals"]
    hourly = [{"time": row["startTime"], "values": row["values"]} for row in rows]
    body = {"timelines": {"hourly": hourly}, "location": {"lat": NYC.lat, "lon": NYC.lon}}
    found = read_hours(msgspec.convert(body, Answer), NYC)
    assert isinstance(found, dict) and len(found) == len(rows)
