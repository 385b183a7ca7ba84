"""The weather service's side: shapes, refusals and conditional answers."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.sim.feeds.switchboard import Fault
from core.sim.weather import HOUR_MS, day_start_ms, half_up

GRID = "/nws/gridpoints/OKX/34,45"


def fahrenheit(celsius: float) -> float:
    return celsius * 1.8 + 32


async def test_a_point_leads_to_its_grid(feeds: Any) -> None:
    properties = (await feeds.json("/nws/points/40.779,-73.969"))["properties"]
    assert (properties["gridId"], properties["gridX"], properties["gridY"]) == ("OKX", 34, 45)
    assert properties["forecastGridData"] == f"http://feeds{GRID}"
    grid = await feeds.json(properties["forecastGridData"].removeprefix("http://feeds"))
    assert grid["properties"]["@type"] == "wx:Gridpoint"


@pytest.mark.parametrize("asked", ["40.7790,-73.969", "40.77900001,-73.969", "040.779,-73.969"])
async def test_a_point_in_long_form_is_redirected_to_the_short_one(feeds: Any, asked: str) -> None:
    answer = await feeds.get(f"/nws/points/{asked}")
    assert (answer.status_code, answer.headers["location"]) == (301, "/nws/points/40.779,-73.969")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/nws/points/1,2", 404, "InvalidPoint"),
        ("/nws/points/x,2", 400, "InvalidParameter"),
        ("/nws/points/40.779,-73.969?t=1", 400, "InvalidParameter"),
        ("/nws/gridpoints/OKX/1,1", 404, "NotFound"),
        (f"{GRID}/forecast?units=kelvin", 400, "InvalidParameter"),
        ("/nws/stations/KXXX/observations", 404, "NotFound"),
        ("/nws/stations/KNYC/observations?limit=501", 400, "InvalidParameter"),
        ("/nws/stations/KNYC/observations?limit=x", 400, "InvalidParameter"),
        (f"/nws/stations/KNYC/observations?limit=000100{'9' * 5000}", 400, "InvalidParameter"),
        ("/nws/stations/KNYC/observations?start=2026-11-22", 400, "InvalidParameter"),
        ("/nws/products/nope", 404, "NotFound"),
        ("/nws/nowhere", 404, "NotFound"),
    ],
)
async def test_a_refusal_is_a_problem_document(feeds: Any, path: str, status: int, kind: str) -> None:
    answer = await feeds.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"https://api.weather.gov/problems/{kind}"


async def test_no_user_agent_no_answer(feeds: Any) -> None:
    answer = await feeds.get("/nws/points/40.779,-73.969", User_Agent="")
    assert answer.status_code == 403
    assert "json" not in answer.headers["content-type"]


async def test_a_feed_taken_down_answers_503_until_it_is_back(feeds: Any) -> None:
    feeds.sim.switches.flip("nws", Fault.DOWN)
    assert (await feeds.get(GRID)).status_code == 503
    assert (
        await feeds.get("/open-meteo/v1/forecast?latitude=40.78&longitude=-73.97&hourly=temperature_2m")
    ).status_code == 200
    feeds.sim.switches.end("nws", Fault.DOWN)
    assert (await feeds.get(GRID)).status_code == 200


async def test_the_grid_is_whole_degrees_in_celsius_with_equal_hours_merged(feeds: Any) -> None:
    grid = (await feeds.json(GRID))["properties"]
    hours: dict[datetime, float] = {}
    lengths = []
    for value in grid["temperature"]["values"]:
        start, _, span = value["validTime"].partition("/PT")
        lengths.append(int(span[:-1]))
        for hour in range(lengths[-1]):
            hours[datetime.fromisoformat(start) + timedelta(hours=hour)] = fahrenheit(value["value"])
    assert max(lengths) > 1
    assert all(abs(f - round(f)) < 1e-9 for f in hours.values())
    top = next(v for v in grid["maxTemperature"]["values"] if v["validTime"].startswith("2026-11-24T12:00"))
    assert top["validTime"].endswith("/PT13H")
    window = [datetime.fromisoformat("2026-11-24T12:00:00+00:00") + timedelta(hours=h) for h in range(13)]
    assert fahrenheit(top["value"]) == pytest.approx(max(hours[at] for at in window))


async def test_the_grid_is_not_sent_again_until_the_office_updates_it(feeds: Any) -> None:
    first = await feeds.get(GRID)
    since = {"If_Modified_Since": first.headers["last-modified"]}
    tag = {"If_None_Match": first.headers["etag"]}
    for held in (since, tag):
        again = await feeds.get(GRID, **held)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    feeds.desk.run(26)  # an hour of world time
    for held in (since, tag):
        assert (await feeds.get(GRID, **held)).status_code == 200


async def test_a_published_forecast_is_a_new_grid_at_once(feeds: Any) -> None:
    feeds.desk.run(1)
    first = await feeds.get(GRID)
    day = feeds.world.first_day + timedelta(days=1)
    feeds.weather.publish("KNYC", day, 0.0, feeds.world.now_ms())
    answer = await feeds.get(GRID, If_Modified_Since=first.headers["last-modified"])
    assert answer.status_code == 200
    tops = [
        [
            v
            for v in a.json()["properties"]["maxTemperature"]["values"]
            if v["validTime"].startswith("2026-11-24")
        ]
        for a in (first, answer)
    ]
    moved = fahrenheit(tops[1][0]["value"]) - fahrenheit(tops[0][0]["value"])
    assert round(moved) in (1, 2)


async def test_forecast_periods_in_both_units_and_as_objects(feeds: Any) -> None:
    us = (await feeds.json(f"{GRID}/forecast"))["properties"]
    assert [p["name"] for p in us["periods"][:3]] == ["Today", "Monday Night", "Tuesday"]
    assert us["periods"][0]["isDaytime"] and not us["periods"][1]["isDaytime"]
    assert isinstance(us["periods"][0]["temperature"], int)
    si = (await feeds.json(f"{GRID}/forecast?units=si"))["properties"]
    assert si["periods"][0]["temperature"] == half_up((us["periods"][0]["temperature"] - 32) / 1.8)
    objects = (await feeds.get(f"{GRID}/forecast", Feature_Flags="forecast_temperature_qv")).json()[
        "properties"
    ]
    assert objects["periods"][0]["temperature"] == {
        "unitCode": "wmoUnit:degF",
        "value": us["periods"][0]["temperature"],
    }
    hourly = (await feeds.json(f"{GRID}/forecast/hourly"))["properties"]["periods"]
    assert len(hourly) == 156
    assert hourly[0]["startTime"] == "2026-11-23T10:00:00-05:00"


async def test_observations_are_newest_first_within_the_asked_times(feeds: Any) -> None:
    rows = (await feeds.json("/nws/stations/KNYC/observations?limit=4"))["features"]
    stamps = [row["properties"]["timestamp"] for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert stamps[0] == "2026-11-23T14:51:00+00:00"
    some = await feeds.json(
        "/nws/stations/KNYC/observations?start=2026-11-23T12:00:00%2B00:00&end=2026-11-23T13:51:00Z"
    )
    assert [r["properties"]["timestamp"][11:16] for r in some["features"]] == ["13:51", "12:51"]
    latest = await feeds.json("/nws/stations/KNYC/observations/latest")
    assert latest["properties"] == rows[0]["properties"]
    assert latest["properties"]["temperature"]["unitCode"] == "wmoUnit:degC"


async def test_readers_are_told_before_the_answer(feeds: Any) -> None:
    feeds.desk.run(1)
    day = feeds.world.first_day + timedelta(days=1)
    feeds.weather.publish("KNYC", day, 0.0, feeds.world.now_ms())
    assert feeds.sim.traders.beliefs.unheard(feeds.world.now_ms())
    await feeds.json("/open-meteo/v1/forecast?latitude=40.78&longitude=-73.97&hourly=temperature_2m")
    assert not feeds.sim.traders.beliefs.unheard(feeds.world.now_ms())


async def test_the_climate_report_settles_what_was_observed(feeds: Any) -> None:
    world = feeds.world
    start = day_start_ms(feeds.weather.stations["KNYC"], world.first_day)
    feeds.desk.clock.ms = world._clock.real_at(start + 17 * HOUR_MS)
    listed = (await feeds.json("/nws/products/types/CLI/locations/NYC"))["@graph"]
    preliminary = await feeds.json(f"/nws/products/{listed[0]['id']}")
    assert "VALID TODAY AS OF" in preliminary["productText"] and " TODAY\n" in preliminary["productText"]
    feeds.desk.clock.ms = world._clock.real_at(start + 26 * HOUR_MS)
    listed = (await feeds.json("/nws/products/types/CLI/locations/NYC"))["@graph"]
    final = await feeds.json(f"/nws/products/{listed[0]['id']}")
    assert final["issuanceTime"] == "2026-11-24T06:18:00+00:00"
    lines = final["productText"].splitlines()
    assert "...THE CENTRAL PARK NY CLIMATE SUMMARY FOR NOVEMBER 23 2026..." in lines
    assert " YESTERDAY" in lines
    (maximum,) = [line.split() for line in lines if line.startswith("  MAXIMUM")]
    record = feeds.weather.record("KNYC", world.first_day)
    assert int(maximum[1]) == record.observed_high_f
    assert (await feeds.json("/nws/products/types/CLI/locations/XXX"))["@graph"] == []
