"""Open-Meteo's side: shapes, units, zones, refusals."""

from datetime import timedelta
from typing import Any

import pytest

from core.sim.feeds.switchboard import Fault

HERE = "latitude=40.78&longitude=-73.97"
FORECAST = "/open-meteo/v1/forecast"
NEW_YORK = f"{HERE}&temperature_unit=fahrenheit&timezone=Etc/GMT%2B5"


async def test_hourly_and_daily_agree_over_the_fixed_offset_day(feeds: Any) -> None:
    got = await feeds.json(
        f"{FORECAST}?{NEW_YORK}&hourly=temperature_2m&daily=temperature_2m_max,temperature_2m_min&forecast_days=3"
    )
    assert (got["utc_offset_seconds"], got["timezone"], got["timezone_abbreviation"]) == (
        -18000,
        "Etc/GMT+5",
        "GMT-5",
    )
    hours, days = got["hourly"], got["daily"]
    assert len(hours["time"]) == 72 and hours["time"][0] == "2026-11-23T00:00"
    assert days["time"] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    assert got["hourly_units"] == {"time": "iso8601", "temperature_2m": "°F"}
    for number in range(3):
        day = hours["temperature_2m"][number * 24 : number * 24 + 24]
        assert (days["temperature_2m_max"][number], days["temperature_2m_min"][number]) == (
            max(day),
            min(day),
        )
    now = feeds.world.now_ms()
    assert days["temperature_2m_max"][1] == feeds.weather.forecast_high_f(
        "KNYC", feeds.world.first_day + timedelta(days=1), now
    )


async def test_celsius_gmt_and_unix_times_are_the_defaults_and_options(feeds: Any) -> None:
    warm = await feeds.json(
        f"{FORECAST}?{HERE}&hourly=temperature_2m&temperature_unit=fahrenheit&forecast_days=1"
    )
    cold = await feeds.json(f"{FORECAST}?{HERE}&hourly=temperature_2m&forecast_days=1&timeformat=unixtime")
    assert cold["timezone"] == "GMT"
    assert cold["hourly_units"]["temperature_2m"] == "°C"
    assert cold["hourly"]["time"][0] == 1_795_392_000
    pairs = zip(warm["hourly"]["temperature_2m"], cold["hourly"]["temperature_2m"], strict=True)
    assert all(abs((f - 32) / 1.8 - c) <= 0.051 for f, c in pairs)


async def test_hours_beyond_the_record_are_null(feeds: Any) -> None:
    got = await feeds.json(
        f"{FORECAST}?{NEW_YORK}&hourly=temperature_2m&start_date=2026-12-14&end_date=2026-12-17"
    )
    values = got["hourly"]["temperature_2m"]
    assert values[0] is not None and values[-1] is None


async def test_several_places_make_a_list_and_several_models_suffixes(feeds: Any) -> None:
    got = await feeds.json(
        "/open-meteo/v1/forecast?latitude=40.78,41.78&longitude=-73.97,-87.75&daily=temperature_2m_max"
    )
    assert [x["elevation"] for x in got] == [47.0, 188.0]
    both = await feeds.json(f"{FORECAST}?{HERE}&hourly=temperature_2m&models=gfs_seamless,best_match")
    assert set(both["hourly"]) == {"time", "temperature_2m_gfs_seamless", "temperature_2m_best_match"}


async def test_an_ensemble_has_a_control_and_thirty_members_around_it(feeds: Any) -> None:
    got = await feeds.json(
        f"/open-meteo/v1/ensemble?{NEW_YORK}&hourly=temperature_2m&daily=temperature_2m_max&models=ncep_gefs025&forecast_days=2"
    )
    names = set(got["hourly"]) - {"time"}
    assert names == {"temperature_2m"} | {f"temperature_2m_member{n:02d}" for n in range(1, 31)}
    plain = await feeds.json(f"{FORECAST}?{NEW_YORK}&hourly=temperature_2m&forecast_days=2")
    assert got["hourly"]["temperature_2m"] == plain["hourly"]["temperature_2m"]
    highs = [got["daily"][f"temperature_2m_max_member{n:02d}"][1] for n in range(1, 31)]
    control = got["daily"]["temperature_2m_max"][1]
    assert min(highs) < control < max(highs)
    assert len(set(highs)) > 15


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("latitude=40.78", "latitude"),
        ("latitude=x&longitude=1", "latitude"),
        ("latitude=40.78,41&longitude=-73.97", "same number"),
        ("latitude=0&longitude=0", "No data here"),
        ("latitude=nan&longitude=nan", "No data here"),
        (f"{HERE}&hourly=rain", "hourly"),
        (f"{HERE}&daily=rain_sum", "daily"),
        (f"{HERE}&models=nope", "model"),
        (f"{HERE}&bogus=1", "bogus"),
        (f"{HERE}&timezone=Mars/Base", "timezone"),
        (f"{HERE}&forecast_days=17", "forecast_days"),
        (f"{HERE}&start_date=2026-11-24&end_date=2026-11-23", "end_date"),
        (f"{HERE}&start_date=2026-11-24", "date"),
        (f"{HERE}&hourly=temperature_2m&start_date=0001-01-01&end_date=0001-01-02", "start_date"),
        (f"{HERE}&hourly=temperature_2m&start_date=9999-12-30&end_date=9999-12-31", "start_date"),
        (f"latitude={'40.78,' * 10}40.78&longitude={'-73.97,' * 10}-73.97", "at most 10"),
        (f"{HERE}&temperature_unit=kelvin", "temperature_unit"),
        (f"{HERE}&timeformat=roman", "timeformat"),
    ],
)
async def test_a_bad_question_gets_a_reason(feeds: Any, query: str, reason: str) -> None:
    got = await feeds.json(f"{FORECAST}?{query}", status=400)
    assert got["error"] is True
    assert reason in got["reason"]


async def test_run_metadata_moves_with_a_published_run_only(feeds: Any) -> None:
    path = "/open-meteo/data/ncep_gfs013/static/meta.json"
    feeds.desk.run(1)
    first = await feeds.json(path)
    assert first["last_run_availability_time"] * 1000 <= feeds.world.now_ms()
    assert first["update_interval_seconds"] == 21_600
    assert await feeds.json(path) == first
    feeds.weather.publish("KNYC", feeds.world.first_day, 0.0, feeds.world.now_ms())
    second = await feeds.json(path)
    assert second["last_run_availability_time"] == feeds.world.now_ms() // 1000
    assert second["last_run_initialisation_time"] > first["last_run_initialisation_time"]
    await feeds.json("/open-meteo/data/nope/static/meta.json", status=404)


async def test_down_means_503_with_the_services_own_words(feeds: Any) -> None:
    feeds.sim.switches.flip("open-meteo", Fault.DOWN)
    got = await feeds.json(f"{FORECAST}?{NEW_YORK}", status=503)
    assert got == {"error": True, "reason": "The service is overloaded"}
    await feeds.json("/open-meteo/data/ncep_gfs013/static/meta.json", status=503)
    assert (await feeds.get("/nws/stations/KNYC/observations")).status_code == 200
