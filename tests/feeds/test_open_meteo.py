"""Open-Meteo: hours to climate days, and which run an answer belongs to."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from core.feeds.fetch import Failed, Fetcher
from core.feeds.open_meteo import GEFS, GFS, Answer, Model, ModelSource, hours
from core.feeds.polling import Polled
from core.feeds.stations import HOUR_MS, climate_day_bounds, daily, stations
from core.feeds.values import Ensemble, FeedValue, ModelForecast

NYC = stations()["KNYC"]
DAY = "2026-11-22"
START_MS, END_MS = climate_day_bounds(NYC, DAY)
NOW_MS = START_MS + 10 * HOUR_MS


def answer(hourly: dict[str, list[Any]], **more: Any) -> dict[str, Any]:
    times = [f"2026-11-{22 + h // 24}T{h % 24:02d}:00" for h in range(max(len(v) for v in hourly.values()))]
    return {
        "utc_offset_seconds": -18000,
        "hourly_units": {"temperature_2m": "°F"},
        "hourly": {"time": times, **hourly},
    } | more


def test_daily_maximum_only_of_complete_climate_days() -> None:
    times = tuple(START_MS + h * HOUR_MS for h in range(72))
    row = (*(float(h % 24) for h in range(24)), *([40.0] * 23), None, *([50.0] * 24))
    assert daily(times, row, NYC) == {"2026-11-22": (0.0, 23.0), "2026-11-24": (50.0, 50.0)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"utc_offset_seconds": -14400}, "time zone"),
        ({"hourly_units": {"temperature_2m": "°C"}}, "Fahrenheit"),
        ({"hourly": {"time": [], "temperature_2m": []}}, "no hours"),
        ({"hourly": {"time": ["2026-11-22T00:00Z"], "temperature_2m": [40.0]}}, "no hours"),
        ({"hourly": {"time": ["0001-01-01T00:00"], "temperature_2m": [40.0]}}, "no hours"),
        ({"hourly": {"time": ["2026-11-22T00:00"], "temperature_2m": [40.0, 41.0]}}, "do not match"),
        ({"hourly": {"time": ["2026-11-22T00:00"], "temperature_2m": ["hot"]}}, "do not match"),
        ({"hourly": {"time": ["2026-11-22T00:00"], "temperature_2m": [999.0]}}, "outside"),
        ({"hourly": {"time": ["2026-11-22T00:00"]}}, "no temperatures"),
    ],
)
def test_answers_that_may_not_be_used(change: dict[str, Any], reason: str) -> None:
    wire = msgspec.convert(answer({"temperature_2m": [40.0] * 24}) | change, Answer)
    found = hours(wire, NYC)
    assert isinstance(found, Failed)
    assert reason in found.reason


class Service:
    """Serves one model's metadata and hours, both set by the test."""

    def __init__(self, hourly: dict[str, list[Any]]) -> None:
        self.hourly = hourly
        self.run_s = NOW_MS // 1000 - 9 * 3600
        self.available_s = NOW_MS // 1000 - 4 * 3600
        self.fetched: list[httpx.URL] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("meta.json"):
            meta = {
                "last_run_initialisation_time": self.run_s,
                "last_run_availability_time": self.available_s,
                "update_interval_seconds": 21600,
            }
            return httpx.Response(200, json=meta)
        self.fetched.append(request.url)
        return httpx.Response(200, json=answer(self.hourly))


def polls(
    virtual: Any, service: Service, steps: list[Callable[[], None]], model: Model = GFS
) -> tuple[list[Polled | Failed], list[FeedValue], ModelSource]:
    """Poll once after each step, a virtual minute apart."""
    got: list[FeedValue] = []
    clocks = virtual.clocks(world_ms=NOW_MS)

    async def work() -> tuple[list[Polled | Failed], ModelSource]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            source = ModelSource(model, [NYC], fetcher, clocks, got.append)
            outcomes = []
            for step in steps:
                step()
                outcomes.append(await source.poll())
                await asyncio.sleep(60)
            return outcomes, source

    outcomes, source = virtual.run(work())
    return outcomes, got, source


def nothing() -> None: ...


def test_a_run_is_fetched_once_and_stamped_with_its_own_times(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0 + h % 24 for h in range(48)]})
    outcomes, got, source = polls(virtual, service, [nothing, nothing])
    (value,) = got
    assert isinstance(value, ModelForecast)
    assert value.daily_max_f == {"2026-11-22": 63.0, "2026-11-23": 63.0}
    assert value.hourly[0] == (START_MS, 40.0)
    assert value.stamp.event_ms == service.run_s * 1000
    assert value.stamp.published_ms == service.available_s * 1000
    assert value.stale_after_s == 12 * 3600
    assert source.newest_ms == service.run_s * 1000
    assert [o.changed for o in outcomes if isinstance(o, Polled)] == [True, False]
    params = service.fetched[0].params
    assert (params["timezone"], params["models"], params["temperature_unit"]) == (
        "Etc/GMT+5",
        "gfs_seamless",
        "fahrenheit",
    )
    assert (params["latitude"], params["longitude"], params["elevation"]) == ("40.779", "-73.969", "47")


def test_old_hours_under_a_new_run_keep_their_stamp_until_servers_agree(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0] * 24})
    old_run_ms = service.run_s * 1000

    def announce() -> None:
        service.run_s += 6 * 3600
        service.available_s = NOW_MS // 1000 + 60

    def replicate() -> None:
        service.hourly = {"temperature_2m": [42.0] * 24}

    outcomes, got, source = polls(virtual, service, [nothing, announce, nothing, replicate])
    assert [v.stamp.event_ms for v in got] == [old_run_ms, service.run_s * 1000]
    assert isinstance(outcomes[1], Polled)
    assert outcomes[1].again_in_s == 300
    assert source.newest_ms == service.run_s * 1000


def test_a_new_run_with_the_same_values_is_accepted_once_replicated(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0] * 24})

    def announce() -> None:
        service.run_s += 6 * 3600
        service.available_s = NOW_MS // 1000 - 700

    _, got, source = polls(virtual, service, [nothing, announce])
    assert len(got) == 2
    assert source.newest_ms == service.run_s * 1000


def test_an_older_or_future_run_is_refused(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0] * 24})

    def back() -> None:
        service.run_s -= 6 * 3600

    def ahead() -> None:
        service.run_s = NOW_MS // 1000 + 3600

    def nonsense() -> None:
        service.run_s = -(10**15)

    outcomes, got, _ = polls(virtual, service, [nothing, back, ahead, nonsense])
    assert len(got) == 1
    assert [isinstance(o, Failed) for o in outcomes] == [False, True, True, True]
    fresh, got, _ = polls(virtual, service, [nonsense])  # nothing held yet to be older than
    assert isinstance(fresh[0], Failed)
    assert got == []


def test_ensemble_members_keep_their_order_control_first(virtual: Any) -> None:
    rows = {f"temperature_2m_member{m:02d}": [40.0 + m] * 24 for m in range(1, 31)}
    service = Service(rows | {"temperature_2m": [40.0] * 24})
    _, got, _ = polls(virtual, service, [nothing], GEFS)
    (value,) = got
    assert isinstance(value, Ensemble)
    assert value.daily_max_f == {DAY: tuple(40.0 + m for m in range(31))}
    assert service.fetched[0].path == "/v1/ensemble"
