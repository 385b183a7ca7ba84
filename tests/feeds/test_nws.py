"""The weather service's sources: grid look-up, honest clocks, late reports, climate reports."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from core.feeds.fetch import Failed, Fetcher
from core.feeds.nws import GridSource, ObservationSource, ReportSource, StationLink
from core.feeds.pace import Pace
from core.feeds.polling import Polled
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.values import ClimateReport, FeedValue, GridForecast, Observation, TakenBack

NYC = stations()["KNYC"]
START_MS, _ = climate_day_bounds(NYC, "2026-11-22")
NOW_MS = START_MS + 10 * HOUR_MS + 5 * 60_000  # 15:05Z
JSON = {"Content-Type": "application/geo+json"}


class Service:
    """Answers by path with what the test put there: a body, or a status."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.asked: list[httpx.URL] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        answer = self.answers.get(request.url.path, 404)
        if isinstance(answer, int):
            return httpx.Response(answer)
        if request.headers.get("If-Modified-Since") == answer.get("etag", "none"):
            return httpx.Response(304)
        headers = JSON | ({"Last-Modified": answer["etag"]} if "etag" in answer else {})
        return httpx.Response(200, headers=headers, json=answer)


Step = Callable[[], float | None]
"""What happens before a poll; seconds that pass, if any."""


def polls(
    virtual: Any, source_of: Callable[[StationLink], Any], service: Service, steps: list[Step]
) -> tuple[list[Polled | Failed], list[FeedValue], Any]:
    got: list[FeedValue] = []
    clocks = virtual.clocks(world_ms=NOW_MS)

    async def work() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.handle)) as client:
            fetcher = Fetcher(client, "http://nws", clocks, "pmconsole/test", "application/geo+json")
            source = source_of(StationLink(NYC, fetcher, Pace(clocks), clocks, got.append))
            outcomes = []
            for step in steps:
                await asyncio.sleep(step() or 0)
                outcomes.append(await source.poll())
            return outcomes, source

    outcomes, source = virtual.run(work())
    return outcomes, got, source


def nothing() -> None: ...


def point(x: int = 34) -> dict[str, Any]:
    return {"properties": {"gridId": "OKX", "gridX": x, "gridY": 45}}


def grid(updated: str, celsius: float = 8.888888888888889, **more: Any) -> dict[str, Any]:
    values = [{"validTime": "2026-11-22T15:00:00+00:00/PT6H", "value": celsius}]
    daily = [{"validTime": "2026-11-22T12:00:00+00:00/PT13H", "value": celsius}]
    layers = {
        "temperature": {"uom": "wmoUnit:degC", "values": values},
        "maxTemperature": {"uom": "wmoUnit:degC", "values": daily},
    }
    return {"properties": {"updateTime": updated, **layers, **more}}


CELL, MOVED = "/gridpoints/OKX/34,45", "/gridpoints/OKX/35,45"
POINT = "/points/40.779,-73.969"


def test_grid_values_and_times(virtual: Any) -> None:
    service = Service(**{POINT: point(), CELL: grid("2026-11-22T14:20:00+00:00") | {"etag": "a"}})
    outcomes, got, source = polls(virtual, GridSource, service, [nothing, nothing])
    (value,) = got
    assert isinstance(value, GridForecast)
    assert value.daily_max_f == {"2026-11-22": 48}
    assert value.hourly == tuple((START_MS + (10 + h) * HOUR_MS, 48) for h in range(6))
    assert value.stamp.event_ms == source.newest_ms == START_MS + 9 * HOUR_MS + 20 * 60_000
    assert [o.changed for o in outcomes if isinstance(o, Polled)] == [True, False]
    assert [u.path for u in service.asked] == [POINT, CELL, CELL]  # the look-up is kept for a day


def test_a_grid_that_moved_is_looked_up_again(virtual: Any) -> None:
    service = Service(**{POINT: point(), CELL: grid("2026-11-22T14:20:00+00:00")})

    def move() -> None:
        service.answers = {POINT: point(35), MOVED: grid("2026-11-22T14:50:00+00:00", 10.0)}

    outcomes, got, _ = polls(virtual, GridSource, service, [nothing, move, nothing])
    assert [isinstance(o, Failed) for o in outcomes] == [False, True, False]
    assert [v.daily_max_f for v in got if isinstance(v, GridForecast)] == [
        {"2026-11-22": 48},
        {"2026-11-22": 50},
    ]


@pytest.mark.parametrize(
    ("updated", "reason"),
    [
        ("2026-11-22T14:00:00+00:00", "older"),  # an edge copy from before
        ("2026-11-22T15:06:00+00:00", "future"),
        ("yesterday", "no update time"),
    ],
)
def test_a_grid_with_a_wrong_clock_is_refused(virtual: Any, updated: str, reason: str) -> None:
    service = Service(**{POINT: point(), CELL: grid("2026-11-22T14:20:00+00:00")})

    def turn_back() -> None:
        service.answers[CELL] = grid(updated, 12.0)

    outcomes, got, _ = polls(virtual, GridSource, service, [nothing, turn_back])
    assert isinstance(outcomes[1], Failed)
    assert reason in outcomes[1].reason
    assert len(got) == 1


def test_an_empty_layer_falls_back_to_the_hourly_forecast(virtual: Any) -> None:
    periods = [{"startTime": "2026-11-22T10:00:00-05:00", "temperature": 47, "temperatureUnit": "F"}]
    service = Service(
        **{
            POINT: point(),
            CELL: grid("2026-11-22T14:20:00+00:00", temperature={"uom": "wmoUnit:degC", "values": []}),
            f"{CELL}/forecast/hourly": {"properties": {"periods": periods}},
        }
    )
    _, got, _ = polls(virtual, GridSource, service, [nothing])
    assert isinstance(got[0], GridForecast)
    assert got[0].hourly == ((START_MS + 10 * HOUR_MS, 47),)


def seen(*readings: tuple[str, float], failed: str = "") -> dict[str, Any]:
    def feature(at: str, celsius: float) -> dict[str, Any]:
        quality = "X" if at == failed else "V"
        quantity = {"unitCode": "wmoUnit:degC", "value": celsius, "qualityControl": quality}
        return {"properties": {"timestamp": f"2026-11-22T{at}:00+00:00", "temperature": quantity}}

    return {"features": [feature(*reading) for reading in readings]}


OBSERVED = "/stations/KNYC/observations"


def test_each_observation_is_handed_on_once_and_a_late_one_still_counts(virtual: Any) -> None:
    service = Service(**{OBSERVED: seen(("14:51", 8.9), ("13:51", 8.3))})

    def later() -> None:
        service.answers[OBSERVED] = seen(("14:55", 9.1), ("14:53", 9.4), ("14:51", 8.9))

    def late() -> None:
        service.answers[OBSERVED] = seen(("14:55", 9.1), ("14:54", 9.9), ("14:53", 9.4))

    outcomes, got, source = polls(virtual, ObservationSource, service, [nothing, later, nothing, late])
    times = [(v.stamp.event_ms - START_MS) // 60_000 for v in got if isinstance(v, Observation)]
    assert times == [531, 591, 593, 595, 594]
    assert [o.changed for o in outcomes if isinstance(o, Polled)] == [True, True, False, True]
    assert source.newest_ms == START_MS + 595 * 60_000
    assert service.asked[0].params["start"] == "2026-11-22T05:00:00Z"  # the climate day's beginning
    assert service.asked[1].params["start"] == "2026-11-22T14:21:00Z"


def test_a_reading_that_fails_quality_control_hours_later_is_taken_back_once(virtual: Any) -> None:
    day = (("14:51", 8.9), ("13:51", 30.0), ("12:51", 8.3))
    service = Service(**{OBSERVED: seen(*day)})

    def fail() -> float:
        service.answers[OBSERVED] = seen(*day, failed="13:51")
        return 1_800

    def pass_() -> float:
        service.answers[OBSERVED] = seen(*day)
        return 1_800

    _, got, _ = polls(virtual, ObservationSource, service, [nothing, nothing, fail, nothing, pass_])
    assert [v.stamp.event_ms - START_MS for v in got if isinstance(v, TakenBack)] == [531 * 60_000]
    *_, again = got
    assert isinstance(again, Observation) and again.corrected and again.at_least_f == 86
    assert [asked.params["start"][11:16] for asked in service.asked] == [
        "05:00",
        "14:21",
        "05:00",
        "14:21",
        "05:00",
    ]


def test_one_that_failed_before_it_was_told_is_named_for_the_other_sources(virtual: Any) -> None:
    service = Service(**{OBSERVED: seen(("14:51", 8.9), ("13:51", 30.0), failed="13:51")})
    _, got, _ = polls(virtual, ObservationSource, service, [nothing, nothing])
    first, second = got
    assert isinstance(first, TakenBack) and first.stamp.event_ms == START_MS + 531 * 60_000
    assert isinstance(second, Observation) and second.stamp.event_ms == START_MS + 591 * 60_000


def test_one_that_failed_with_a_wrong_clock_takes_back_nothing(virtual: Any) -> None:
    """It would begin a day that is not there yet, and with it end the one that runs."""
    service = Service(**{OBSERVED: seen(("23:00", 30.0), ("14:51", 8.9), failed="23:00")})
    _, got, _ = polls(virtual, ObservationSource, service, [nothing])
    assert [type(value) for value in got] == [Observation]


def test_an_observation_from_the_future_is_refused(virtual: Any) -> None:
    outcomes, got, _ = polls(
        virtual, ObservationSource, Service(**{OBSERVED: seen(("15:06", 9.0))}), [nothing]
    )
    assert isinstance(outcomes[0], Failed)
    assert got == []


REPORT = """CDUS41 KOKX 221118
CLINYC

...THE CENTRAL PARK NY CLIMATE SUMMARY FOR NOVEMBER {day} 2026...
TEMPERATURE (F)
 {heading}
  MAXIMUM         {high}    141 PM  73    1900  52
  MINIMUM         41    639 AM  17    1879  40
"""
LIST = "/products/types/CLI/locations/NYC"


def listed(*items: tuple[str, str]) -> dict[str, Any]:
    return {"@graph": [{"id": name, "issuanceTime": at} for name, at in items]}


def product(name: str, at: str, text: str) -> dict[str, Any]:
    return {"id": name, "issuanceTime": at, "productText": text}


def test_reports_are_read_once_and_final_only_after_the_day(virtual: Any) -> None:
    early, final = "2026-11-21T21:30:00+00:00", "2026-11-22T11:18:00+00:00"
    service = Service(
        **{
            LIST: listed(("b", final), ("a", early)),
            "/products/a": product("a", early, REPORT.format(day=21, heading="TODAY", high=53)),
            "/products/b": product("b", final, REPORT.format(day=21, heading="YESTERDAY", high=54)),
        }
    )
    _, got, _ = polls(virtual, ReportSource, service, [nothing, nothing])
    assert [(v.day, v.final, v.max_f) for v in got if isinstance(v, ClimateReport)] == [
        ("2026-11-21", False, 53),
        ("2026-11-21", True, 54),
    ]
    # A text that calls today "yesterday" cannot end a day that is not over.
    wrong = Service(
        **{
            LIST: listed(("c", final)),
            "/products/c": product("c", final, REPORT.format(day=22, heading="YESTERDAY", high=54)),
        }
    )
    _, got, _ = polls(virtual, ReportSource, wrong, [nothing])
    assert [v.final for v in got if isinstance(v, ClimateReport)] == [False]


def test_product_ids_do_not_become_paths(virtual: Any) -> None:
    service = Service(**{LIST: listed(("../../v1/forecast", "2026-11-22T11:18:00+00:00"))})
    [outcome], _, _ = polls(virtual, ReportSource, service, [nothing])
    assert isinstance(outcome, Polled)
    assert outcome.remark == "report ../../v1/forecast set aside: its name is no report's"
    assert len(service.asked) == 1


def test_requests_keep_a_spacing_and_a_bound(virtual: Any) -> None:
    clocks = virtual.clocks()
    started: list[float] = []
    running = [0, 0]

    async def one(pace: Pace) -> None:
        async with pace.turn():
            started.append(virtual.loop.time())
            running[0] += 1
            running[1] = max(running)
            await asyncio.sleep(10)
            running[0] -= 1

    async def work() -> None:
        pace = Pace(clocks)
        await asyncio.gather(*(one(pace) for _ in range(8)))

    virtual.run(work())
    assert running[1] == 4
    assert started[:4] == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_one_reading_with_a_wrong_clock_does_not_hold_back_the_others(virtual: Any) -> None:
    service = Service(**{OBSERVED: seen(("23:00", 30.0), ("14:51", 8.9))})
    outcomes, got, source = polls(virtual, ObservationSource, service, [nothing])
    assert [isinstance(o, Polled) and o.changed for o in outcomes] == [True]
    assert [v.temperature_f for v in got if isinstance(v, Observation)] == [pytest.approx(48.02)]
    assert source.newest_ms == START_MS + 591 * 60_000


def test_a_known_grid_is_read_while_the_look_up_is_down(virtual: Any) -> None:
    service = Service(**{POINT: point(), CELL: grid("2026-11-22T14:20:00+00:00")})

    clocks = virtual.clocks(world_ms=NOW_MS)
    got: list[FeedValue] = []

    async def work() -> list[Polled | Failed]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.handle)) as client:
            fetcher = Fetcher(client, "http://nws", clocks, "pmconsole/test", "application/geo+json")
            source = GridSource(StationLink(NYC, fetcher, Pace(clocks), clocks, got.append))
            first = await source.poll()
            await asyncio.sleep(25 * 3600)
            service.answers = {POINT: 503, CELL: grid("2026-11-23T15:02:00+00:00", 10.0)}
            return [first, await source.poll()]

    outcomes = virtual.run(work())
    assert [isinstance(o, Failed) for o in outcomes] == [False, False]
    assert [url.path for url in service.asked] == [POINT, CELL, POINT, CELL]
    assert len(got) == 2


@pytest.mark.parametrize(
    ("hhmm", "usual", "read_final", "again_in_s"),
    [
        ("06:00", "06:18", False, 60),
        ("06:52", "06:18", False, 60),
        ("06:54", "06:18", False, None),
        ("05:42", "06:18", False, None),
        ("06:20", "06:18", True, None),
        ("06:20", "", False, None),
    ],
)
def test_reports_are_asked_for_every_minute_while_the_final_is_due(
    virtual: Any, hhmm: str, usual: str, read_final: bool, again_in_s: int | None
) -> None:
    now_ms = START_MS - 5 * HOUR_MS + (int(hhmm[:2]) * 60 + int(hhmm[3:])) * 60_000
    clocks = virtual.clocks(world_ms=now_ms)
    issued = "2026-11-22T06:19:00+00:00"
    answers: dict[str, Any] = {LIST: listed(("b", issued)) if read_final else listed()}
    answers["/products/b"] = product("b", issued, REPORT.format(day=21, heading="YESTERDAY", high=54))
    service = Service(**answers)
    station = msgspec.structs.replace(NYC, cli_usual_utc=usual)

    async def work() -> Polled | Failed:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.handle)) as client:
            fetcher = Fetcher(client, "http://nws", clocks, "pmconsole/test", "application/geo+json")
            return await ReportSource(
                StationLink(station, fetcher, Pace(clocks), clocks, lambda _: None)
            ).poll()

    polled = virtual.run(work())
    assert isinstance(polled, Polled)
    assert polled.again_in_s == again_in_s


SUMMARY = """
...THE {place} CLIMATE SUMMARY FOR NOVEMBER 21 2026...
TEMPERATURE (F)
 YESTERDAY
  MAXIMUM         {high}
"""


@pytest.mark.parametrize(
    ("places", "name", "max_f"),
    [
        ((("HOUSTON INTERCONTINENTAL", 80), ("HOUSTON/HOBBY AIRPORT", 79)), "Houston Hobby", 79),
        ((("MIAMI BEACH", 80), ("MIAMI", 79)), "Miami", 79),
        ((("WACO", 80), ("KILLEEN", 79)), "Austin Bergstrom", None),
        ((("CENTRAL PARK NY", 54),), "New York", 54),
    ],
)
def test_a_report_of_several_places_gives_the_stations_own_or_nothing(
    virtual: Any, places: tuple[tuple[str, int], ...], name: str, max_f: int | None
) -> None:
    at = "2026-11-22T11:18:00+00:00"
    text = "".join(SUMMARY.format(place=place, high=high) for place, high in places)
    service = Service(**{LIST: listed(("a", at)), "/products/a": product("a", at, text)})

    def of(at: StationLink) -> ReportSource:
        return ReportSource(msgspec.structs.replace(at, station=msgspec.structs.replace(NYC, name=name)))

    _, got, _ = polls(virtual, of, service, [nothing])
    assert [v.max_f for v in got if isinstance(v, ClimateReport)] == ([max_f] if max_f is not None else [])


def test_a_report_that_cannot_be_read_holds_back_no_newer_one(virtual: Any) -> None:
    early, final = "2026-11-21T21:30:00+00:00", "2026-11-22T11:18:00+00:00"
    text = REPORT.format(day=21, heading="YESTERDAY", high=54)
    service = Service(**{LIST: listed(("b", final), ("a", early)), "/products/b": product("b", final, text)})
    outcomes, got, source = polls(
        virtual, ReportSource, service, [nothing, lambda: 1_800, lambda: 1_800, nothing]
    )
    assert [v.max_f for v in got if isinstance(v, ClimateReport)] == [54]
    remarks = [o.remark for o in outcomes if isinstance(o, Polled)]
    assert remarks == [*["report a not read: HTTP 404"] * 2, *["report a set aside: HTTP 404"] * 2]
    assert [u.path for u in service.asked].count("/products/a") == 3, "then it is left alone, by its id"
    assert source.newest_ms is not None


def test_a_report_set_aside_is_forgotten_with_the_list_and_a_failing_service_is_a_failure(
    virtual: Any,
) -> None:
    at = "2026-11-22T11:18:00+00:00"
    service = Service(**{LIST: listed(("a", at)), "/products/a": 503})
    outcomes, _, source = polls(virtual, ReportSource, service, [nothing] * 4)
    assert all(isinstance(o, Failed) and o.status == 503 for o in outcomes) and not source._refused
    service = Service(**{LIST: listed(("a", at))})

    def replaced() -> None:
        service.answers[LIST] = listed(("b", at))
        text = REPORT.format(day=21, heading="YESTERDAY", high=54)
        service.answers["/products/b"] = product("b", at, text)

    outcomes, _, _ = polls(virtual, ReportSource, service, [nothing, replaced])
    assert [o.remark for o in outcomes if isinstance(o, Polled)] == ["report a not read: HTTP 404", ""]


def test_a_report_of_another_station_is_refused(virtual: Any) -> None:
    at = "2026-11-22T11:18:00+00:00"
    text = REPORT.format(day=21, heading="YESTERDAY", high=54).replace("CLINYC", "CLILGA")
    service = Service(**{LIST: listed(("b", at)), "/products/b": product("b", at, text)})
    outcomes, got, _ = polls(virtual, ReportSource, service, [nothing, nothing])
    assert [o.remark for o in outcomes if isinstance(o, Polled)] == [
        "report b set aside: it is CLILGA, not CLINYC"
    ] * 2
    assert got == [] and [u.path for u in service.asked].count("/products/b") == 1


def test_a_report_dated_ahead_is_read_when_its_time_comes(virtual: Any) -> None:
    at = "2026-11-22T15:06:00+00:00"
    text = REPORT.format(day=21, heading="YESTERDAY", high=54)
    service = Service(**{LIST: listed(("b", at)), "/products/b": product("b", at, text)})
    outcomes, got, _ = polls(virtual, ReportSource, service, [nothing, lambda: 120])
    assert [o.remark for o in outcomes if isinstance(o, Polled)] == [
        "report b not read: its time is 60 s in the future", "",
    ]  # fmt: skip
    assert len(got) == 1


def test_a_corrected_reading_is_handed_on_after_the_one_it_replaces(virtual: Any) -> None:
    wrong, right = seen(("14:51", 20.0)), seen(("14:51", 12.2))
    wrong["features"][0]["properties"]["rawMessage"] = "METAR KNYC 221451Z 20/04 RMK T02000044"
    right["features"][0]["properties"]["rawMessage"] = "METAR COR KNYC 221451Z 12/04 RMK T01220044"
    both = {"features": [*right["features"], *wrong["features"]]}
    service = Service(**{OBSERVED: wrong})

    def correct() -> None:
        service.answers[OBSERVED] = both

    _, got, _ = polls(virtual, ObservationSource, service, [nothing, correct, nothing])
    assert [(v.at_least_f, v.corrected) for v in got if isinstance(v, Observation)] == [
        (68, False),
        (54, True),
    ]
