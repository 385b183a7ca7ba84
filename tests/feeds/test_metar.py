"""aviationweather.gov's reports, from its own simulator and as hostile as they come."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.clock import Clocks, WorldClock
from core.feeds.feed import Feed, FeedState
from core.feeds.fetch import Failed, Fetcher
from core.feeds.metar import REPORTS, ReportSource, report_feed
from core.feeds.observed import RunningDay, observe
from core.feeds.polling import Polled
from core.feeds.stations import HOUR_MS, climate_day, stations
from core.feeds.values import FeedValue, Observation
from core.sim.feeds import metar as simulated
from core.sim.feeds.metar import ADDRESSES, Quirks
from core.sim.weather import half_up
from tests.feeds.served import Served

NYC = stations()["KNYC"]
NOW_MS = 1_795_359_900_000  # 2026-11-22 15:05Z


def served(virtual: Any, hours: float, quirks: Quirks | None = None) -> tuple[Served, Feed]:
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(hours * 3600)

    routes = simulated.routes(world.around, quirks)
    return world, world.run(REPORTS, report_feed, routes, ADDRESSES["metar"], script)


def readings(world: Served, icao: str = "KNYC") -> list[Observation]:
    return [v for v in world.got if isinstance(v, Observation) and v.station == icao]


def test_a_day_of_reports_gives_the_climate_reports_high_and_low(virtual: Any) -> None:
    world, feed = served(virtual, 14.0)
    assert feed.health().state is FeedState.OK
    for icao in ("KNYC", "KMDW"):
        place, held = stations()[icao], None
        for one in readings(world, icao):
            if climate_day(place, one.stamp.event_ms) == "2026-11-22":
                held = observe(held, one, place)
        day = world.weather.calendar.world(world.weather.scenario.script.first_day)
        seen = [half_up(o.temp_f) for o in world.weather.observations(icao, day)]
        assert isinstance(held, RunningDay) and held.high is not None and held.low is not None
        assert held.latest is not None
        newest_ms = held.latest.stamp.event_ms
        upto = [half_up(o.temp_f) for o in world.weather.observations(icao, day) if o.at_ms <= newest_ms]
        assert (held.high.f, held.low.f) == (max(upto), min(upto))
        if icao == "KNYC":  # its day ended within the run
            assert (held.likely_high_f, held.likely_low_f) == (max(seen), min(seen))
        else:
            assert held.likely_high_f is None


def test_each_report_is_handed_on_once_though_it_stays_listed(virtual: Any) -> None:
    world, _ = served(virtual, 3.0)
    times = [one.stamp.event_ms for one in readings(world)]
    assert len(times) == len(set(times)) and times == sorted(times)
    assert len(times) >= 12, "the first request asks for the whole climate day"


def test_it_is_asked_every_minute_around_the_hour_and_every_five_else(virtual: Any) -> None:
    world, _ = served(virtual, 2.0)
    assert 2 * (17 + 43 / 5) - 6 <= len(world.asked) <= 2 * (17 + 43 / 5) + 6


def test_a_correction_replaces_what_it_corrects(virtual: Any) -> None:
    world, _ = served(virtual, 2.2, Quirks(off_f=20.0))
    held: RunningDay | None = None
    for one in readings(world):
        held = observe(held, one, NYC)
    corrected = [one for one in readings(world) if one.corrected]
    assert corrected and held is not None
    wrong = {c.at_ms for c in held.claims if c.at_ms == corrected[-1].stamp.event_ms and not c.corrected}
    assert not wrong


def test_whole_celsius_reports_prove_a_band(virtual: Any) -> None:
    world, _ = served(virtual, 0.1, Quirks(whole_celsius=True))
    assert readings(world) and all(o.groups.six_hour_max_f is None for o in readings(world))
    assert any(o.at_most_f > o.at_least_f for o in readings(world))


def test_a_missing_report_makes_the_station_older_not_other(virtual: Any) -> None:
    _, feed = served(virtual, 0.1, Quirks(missing=True))
    health = feed.health()
    assert health.newest_event_ms is not None and NOW_MS - health.newest_event_ms > HOUR_MS
    assert (health.state, health.failures) == (FeedState.STALE, 0), "75 minutes are the limit"


def poll(virtual: Any, body: bytes, status: int = 200) -> tuple[Polled | Failed, list[FeedValue]]:
    got: list[FeedValue] = []
    clocks: Clocks = virtual.clocks(world_ms=NOW_MS)

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"Content-Type": "application/json"})

    async def work() -> Polled | Failed:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            return await ReportSource([NYC], fetcher, clocks, got.append).poll()

    return virtual.run(work()), got


def test_between_two_reports_of_an_answer_the_loop_turns(virtual: Any) -> None:
    clocks: Clocks = virtual.clocks(world_ms=NOW_MS)
    listed = json.dumps([row(), row(obsTime=NOW_MS // 1000 - 4_440), row(obsTime=NOW_MS // 1000 - 8_040)])
    answer = httpx.Response(200, content=listed, headers={"Content-Type": "application/json"})

    async def work() -> list[int]:
        turns, heard = 0, list[int]()

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        turning = asyncio.ensure_future(turn())
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            await ReportSource([NYC], fetcher, clocks, lambda _: heard.append(turns)).poll()
        turning.cancel()
        return heard

    first, second, third = virtual.run(work())
    assert first < second < third


def row(**change: Any) -> dict[str, Any]:
    raw = "METAR KNYC 221451Z AUTO 12/04 A3009 RMK AO2 T01220044"
    return {"icaoId": "KNYC", "obsTime": NOW_MS // 1000 - 840, "rawOb": raw, "reportTime": "x"} | change


def test_nothing_new_is_no_failure(virtual: Any) -> None:
    for body, status in ((b"", 204), (b"[]", 200)):
        outcome, got = poll(virtual, body, status)
        assert isinstance(outcome, Polled) and not outcome.changed and not got


@pytest.mark.parametrize(
    "change",
    [
        {"obsTime": NOW_MS // 1000 + 600},
        {"obsTime": 12},
        {"obsTime": None},
        {"obsTime": "soon"},
        {"obsTime": 1e300},
        {"icaoId": "KLGA"},
        {"rawOb": None},
        {"rawOb": "METAR KNYC 221451Z AUTO M99/04 A3009"},
    ],
)
def test_a_report_that_cannot_be_believed_is_left_out(virtual: Any, change: dict[str, Any]) -> None:
    _, got = poll(virtual, json.dumps([row(**change)]).encode())
    assert got == []
    _, both = poll(virtual, json.dumps([row(**change), row()]).encode())
    assert len(both) == 1, "and hides no other"


def asks(virtual: Any, icaos: list[str], steps: list[tuple[float, list[dict[str, Any]] | int]]) -> Any:
    """Poll once after each wait against what is listed then, or its status; what was asked and handed on."""
    got: list[Observation] = []
    asked: list[tuple[int, int]] = []
    clocks: Clocks = virtual.clocks(world_ms=NOW_MS)
    listed: list[list[dict[str, Any]] | int] = [200]

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append((len(request.url.params["ids"].split(",")), int(request.url.params["hours"])))
        if isinstance(listed[0], int):
            return httpx.Response(listed[0])
        return httpx.Response(200, json=listed[0])

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            source = ReportSource([stations()[icao] for icao in icaos], fetcher, clocks, got.append)  # type: ignore[arg-type]
            for wait_s, listed[0] in steps:
                await asyncio.sleep(wait_s)
                await source.poll()

    virtual.run(work())
    return asked, got


def test_an_answer_that_is_refused_keeps_the_other_stations_from_nothing(virtual: Any) -> None:
    icaos, got = list(stations()), list[Observation]()
    clocks: Clocks = virtual.clocks(world_ms=NOW_MS)
    asked: list[list[str]] = []
    hours: list[int] = []
    bad = icaos[0]

    def handle(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["ids"].split(",")
        asked.append(ids)
        hours.append(int(request.url.params["hours"]))
        if bad in ids:
            return httpx.Response(400)
        return httpx.Response(200, json=[row(icaoId=icao) for icao in ids])

    async def work() -> tuple[Polled | Failed, Polled | Failed]:
        nonlocal bad
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            source = ReportSource(list(stations().values()), fetcher, clocks, got.append)  # type: ignore[arg-type]
            first = await source.poll()
            bad = ""
            second = await source.poll()
            for refused in (icaos[0], ""):
                bad = refused
                await asyncio.sleep(12 * 3_600)
                await source.poll()
            return first, second

    first, second = virtual.run(work())
    assert isinstance(first, Polled) and first.changed
    assert first.remark == f"{', '.join(asked[0])}: HTTP 400"
    assert isinstance(second, Polled) and second.remark == ""
    assert {each.station for each in got} == set(icaos), "those that were refused are asked for again in full"
    assert hours[-1] == 2 + 24, "and all of what was missed since the last whole turn"


def test_no_answer_is_asked_for_that_would_hold_more_reports_than_the_service_gives(virtual: Any) -> None:
    icaos = list(stations())
    asked, _ = asks(virtual, icaos, [(0, [])])
    assert sum(count for count, _ in asked) == len(icaos)
    assert all(count * hours * 2 <= 400 for count, hours in asked) and len(asked) <= 4


def test_what_came_while_nobody_could_ask_is_asked_for(virtual: Any) -> None:
    asked, _ = asks(virtual, ["KNYC"], [(0, [row()]), (60, [row()]), (5 * 3_600, 503), (600, [row()])])
    assert [hours for _, hours in asked] == [12, 2, 7, 7]


def test_of_two_corrections_the_one_received_last_holds_and_each_is_told_once(virtual: Any) -> None:
    raw = "METAR {}KNYC 221451Z AUTO 12/04 A3009 RMK AO2 T0{:03d}0044"
    wrong, first, second = (
        row(rawOb=raw.format(cor, tenths), receiptTime=f"2026-11-22T14:5{minute}:00.000Z")
        for cor, tenths, minute in (("", 200, 3), ("COR ", 150, 5), ("COR ", 122, 9))
    )
    listed = [second, first, wrong]
    _, got = asks(virtual, ["KNYC"], [(0, listed), (60, listed), (60, listed)])
    assert [one.at_least_f for one in got] == [68, 59, 54]
    held: RunningDay | None = None
    for one in got:
        held = observe(held, one, NYC)
    assert held is not None and held.high is not None and held.high.f == 54


ROWS = st.fixed_dictionaries(
    {
        "icaoId": st.sampled_from(["KNYC", "KMDW", ""]),
        "obsTime": st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5)),
        "rawOb": st.one_of(st.none(), st.text(max_size=80)),
    }
)


@settings(deadline=None, max_examples=25)
@given(st.lists(ROWS, max_size=5))
def test_no_answer_makes_it_raise_or_hand_on_a_wrong_date(rows: list[dict[str, Any]]) -> None:
    class Still:
        def wall_ms(self) -> int:
            return NOW_MS

        def mono_ns(self) -> int:
            return 0

    got: list[FeedValue] = []
    clocks = Clocks(Still(), WorldClock(NOW_MS, NOW_MS, 1.0))

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(rows), headers={"Content-Type": "application/json"})

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            await ReportSource([NYC], fetcher, clocks, got.append).poll()

    asyncio.run(work())
    for value in got:
        assert isinstance(value, Observation) and value.stamp.event_ms <= NOW_MS + 5_000
