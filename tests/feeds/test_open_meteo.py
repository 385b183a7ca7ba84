"""Open-Meteo: hours to climate days, and which run an answer belongs to."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.feed import Feed, FeedState
from core.feeds.fetch import Failed, Fetcher
from core.feeds.memory import Memory
from core.feeds.open_meteo import FORECAST, FORECASTS, GEFS, GFS, Model, ModelSource, forecast_feed, weight
from core.feeds.open_meteo_past import PAST, PastSource, past_feed
from core.feeds.open_meteo_wire import Answer, hours
from core.feeds.polling import Polled
from core.feeds.stations import HOUR_MS, climate_day_bounds, daily, stations
from core.feeds.values import Ensemble, FeedValue, ModelForecast, PastForecasts
from core.sim.feeds import open_meteo as simulated
from core.sim.feeds.open_meteo import Quirks
from tests.feeds.served import Served

Ran = tuple[Served, Feed]
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
    assert found.status == 200, "it did answer"


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
    virtual: Any,
    service: Service,
    steps: list[Callable[[], None]],
    model: Model = GFS,
    memory: Memory | None = None,
) -> tuple[list[Polled | Failed], list[FeedValue], ModelSource]:
    """Poll once after each step, a virtual minute apart."""
    got: list[FeedValue] = []
    clocks = virtual.clocks(world_ms=NOW_MS)

    async def work() -> tuple[list[Polled | Failed], ModelSource]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            source = ModelSource(model, [NYC], fetcher, clocks, got.append, memory)
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
    assert value.stale_after_s == (2 * 6 + 6) * 3600
    assert value.daily_min_f == {"2026-11-22": 40.0, "2026-11-23": 40.0}
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


def test_a_place_that_is_frozen_grows_old_though_the_metadata_moves_on(virtual: Any) -> None:
    """Seen of an ensemble for five days, at some places. A day that is added is told, as old as the rest."""
    service = Service({"temperature_2m": [40.0] * 24})
    held_ms = service.run_s * 1000

    def announce() -> None:
        service.run_s += 2 * 3600
        service.available_s = NOW_MS // 1000 - 700 + (service.run_s - held_ms // 1000) // 100

    def announce_with_a_day() -> None:
        announce()
        service.hourly = {"temperature_2m": [40.0] * 48}

    def thaw() -> None:
        announce()
        service.hourly = {"temperature_2m": [41.0] + [40.0] * 23}

    steps = [nothing, announce, announce, announce_with_a_day]
    _, got, source = polls(virtual, service, steps)
    assert [(v.stamp.event_ms, len(v.hourly)) for v in got if isinstance(v, ModelForecast)] == [
        (held_ms, 24), (held_ms, 48),
    ]  # fmt: skip
    assert source.newest_ms == held_ms
    assert len(service.fetched) == 4, "once a run"
    service = Service({"temperature_2m": [40.0] * 24})
    _, got, source = polls(virtual, service, [nothing, announce, thaw])
    assert len(got) == 2 and source.newest_ms == got[-1].stamp.event_ms == service.run_s * 1000


def test_a_place_that_is_frozen_looks_no_fresher_after_a_restart(virtual: Any) -> None:
    service, memory = Service({"temperature_2m": [40.0] * 24}), Memory()
    held_ms = service.run_s * 1000

    def announce() -> None:
        service.run_s += 2 * 3600
        service.available_s += 1

    polls(virtual, service, [nothing], memory=memory)
    of_tomorrow = memory.recall("gfs_seamless KNYC").replace(b'"event_ms":1', b'"event_ms":2')
    for notes, event_ms in (
        (memory.notes, held_ms),
        ({}, held_ms + 4 * HOUR_MS),
        ({"gfs_seamless KNYC": b"[1"}, held_ms + 6 * HOUR_MS),
        (dict.fromkeys(memory.notes, of_tomorrow), held_ms + 8 * HOUR_MS),
    ):
        announce()
        _, got, source = polls(virtual, service, [nothing], memory=Memory(notes))
        assert [value.stamp.event_ms for value in got if isinstance(value, ModelForecast)] == [event_ms]
        assert source.newest_ms == event_ms
    service.hourly = {"temperature_2m": [40.0] * 23 + [41.0]}
    _, got, _ = polls(virtual, service, [nothing], memory=Memory(memory.notes))
    assert [value.stamp.event_ms for value in got if isinstance(value, ModelForecast)] == [
        service.run_s * 1000
    ]


def test_hours_of_other_days_repeat_none(virtual: Any) -> None:
    """After days without an answer."""

    class Later(Service):
        def handle(self, request: httpx.Request) -> httpx.Response:
            told = super().handle(request).json()
            if len(self.fetched) > 1 and "hourly" in told:
                told["hourly"]["time"] = [at.replace("11-22", "11-27") for at in told["hourly"]["time"]]
            return httpx.Response(200, json=told)

    def announce() -> None:
        service.run_s += 6 * 3600
        service.available_s += 1

    service = Later({"temperature_2m": [40.0] * 24})
    _, _, source = polls(virtual, service, [nothing, announce])
    assert source.newest_ms == service.run_s * 1000


@pytest.mark.parametrize(
    ("refusal", "asked"),
    [
        (httpx.Response(200, json=answer({"temperature_2m": [999.0] * 24})), ["KNYC", "KMDW", "KNYC"]),
        (httpx.Response(400, json={"error": True}), ["KNYC", "KMDW", "KNYC"]),
        (httpx.Response(503, json={"error": True}), ["KNYC", "KNYC", "KMDW"]),
        (httpx.Response(429, json={"error": True}), ["KNYC", "KNYC", "KMDW"]),
    ],
)
def test_one_place_that_cannot_be_used_holds_back_no_other(
    virtual: Any, refusal: httpx.Response, asked: list[str]
) -> None:
    """And is asked for again alone; a provider that fails is not asked for the next place at once."""
    service, seen = Service({"temperature_2m": [40.0] * 24}), list[str]()

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("meta.json"):
            return service.handle(request)
        icao = "KNYC" if request.url.params["latitude"] == "40.779" else "KMDW"
        seen.append(icao)
        offset_s = stations()[icao].lst_offset_h * 3600
        told = answer({"temperature_2m": [40.0] * 24}, utc_offset_seconds=offset_s)
        return refusal if len(seen) == 1 else httpx.Response(200, json=told)

    got: list[FeedValue] = []
    clocks = virtual.clocks(world_ms=NOW_MS)

    async def work() -> list[Polled | Failed]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            source = ModelSource(GFS, [NYC, stations()["KMDW"]], fetcher, clocks, got.append)
            first = await source.poll()
            assert source.newest_ms is None, "one is missing"
            return [first, await source.poll(), await source.poll()]

    first, *others = virtual.run(work())
    assert isinstance(first, Failed) and all(isinstance(one, Polled) for one in others)
    assert seen == asked
    assert {v.station for v in got if isinstance(v, ModelForecast)} == {"KNYC", "KMDW"}


def test_an_older_run_is_no_news_and_a_future_one_refused(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0] * 24})

    def back() -> None:
        service.run_s -= 6 * 3600
        service.available_s -= 6 * 3600
        service.hourly = {"temperature_2m": [39.0] * 24}

    def ahead() -> None:
        service.run_s = NOW_MS // 1000 + 3600

    def nonsense() -> None:
        service.run_s = -(10**15)

    outcomes, got, _ = polls(virtual, service, [nothing, back, ahead, nonsense])
    assert len(got) == len(service.fetched) == 1
    assert [isinstance(o, Failed) for o in outcomes] == [False, False, True, True]
    assert isinstance(outcomes[1], Polled) and not outcomes[1].changed
    fresh, got, _ = polls(virtual, service, [nonsense])  # nothing held yet to be older than
    assert isinstance(fresh[0], Failed)
    assert got == []


def test_ensemble_members_keep_their_order_control_first(virtual: Any) -> None:
    rows = {f"temperature_2m_member{m:02d}": [40.0 + m] * 24 for m in range(1, 31)}
    service = Service(rows | {"temperature_2m": [40.0] * 24})
    _, got, _ = polls(virtual, service, [nothing], GEFS)
    (value,) = got
    assert isinstance(value, Ensemble)
    assert value.daily_max_f == value.daily_min_f == {DAY: tuple(40.0 + m for m in range(31))}
    assert service.fetched[0].path == "/v1/ensemble"


def test_an_ensemble_without_all_its_members_is_refused(virtual: Any) -> None:
    service = Service({"temperature_2m": [40.0] * 24, "temperature_2m_member01": [41.0] * 24})
    outcomes, got, _ = polls(virtual, service, [nothing], GEFS)
    assert got == [] and isinstance(outcomes[0], Failed)
    assert "2 of 31 members" in outcomes[0].reason


@pytest.mark.parametrize(
    ("variables", "days", "cost"), [(1, 3, 1), (31, 3, 4), (51, 3, 6), (2, 46, 1), (10, 28, 2), (1, 140, 1)]
)
def test_a_call_weighs_by_variables_members_and_days(variables: int, days: int, cost: int) -> None:
    assert weight(variables, days) == cost


def ran(virtual: Any, hours: float, quirks: Quirks | None = None, follows: tuple[str, ...] = ()) -> Ran:
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(hours * 3600)

    routes = simulated.routes(world.around, quirks)
    urls = simulated.ADDRESSES["open-meteo"]
    return world, world.run(FORECAST, forecast_feed, routes, urls, script, follows=follows)


def test_every_named_model_tells_its_own_hours_with_its_own_run(virtual: Any) -> None:
    world, feed = ran(virtual, 2.1)
    assert feed.health().state is FeedState.OK
    by_model: dict[str, list[ModelForecast]] = {}
    for value in world.got:
        assert isinstance(value, ModelForecast)
        if value.station == "KNYC":
            by_model.setdefault(value.model, []).append(value)
    assert set(by_model) == {model.name for model in FORECASTS}
    runs = {model: {value.stamp.event_ms for value in told} for model, told in by_model.items()}
    assert (len(runs["ncep_hrrr_conus"]), len(runs["gfs_seamless"])) == (3, 2), "hourly, and the one of 12Z"
    assert by_model["ncep_hrrr_conus"][0].stale_after_s == 8 * 3600
    highs = {model: told[-1].daily_max_f["2026-11-23"] for model, told in by_model.items()}
    assert len(set(highs.values())) == len(highs)


def test_only_followed_models_are_asked(virtual: Any) -> None:
    world, _ = ran(virtual, 0.2, follows=("gfs_seamless",))
    assert {v.model for v in world.got if isinstance(v, ModelForecast)} == {"gfs_seamless"}


def test_servers_that_know_different_runs_do_no_harm(virtual: Any) -> None:
    world, feed = ran(virtual, 3.0, Quirks(torn=True), ("gfs_seamless",))
    assert feed.health().failures == 0
    events = [v.stamp.event_ms for v in world.got if isinstance(v, ModelForecast) and v.station == "KNYC"]
    assert events == sorted(events)


def test_a_frozen_run_looks_healthy_and_grows_stale(virtual: Any) -> None:
    _, feed = ran(virtual, 15.0, Quirks(frozen_ms=1_795_359_900_000), ("gfs_seamless",))
    assert (feed.health().state, feed.health().failures) == (FeedState.STALE, 0)


@pytest.mark.parametrize(
    ("quirks", "words"),
    [(Quirks(celsius=True), "not in degrees Fahrenheit"), (Quirks(empty=True), "no temperatures")],
)
def test_another_unit_and_hours_without_values_are_refused(virtual: Any, quirks: Quirks, words: str) -> None:
    world, feed = ran(virtual, 0.1, quirks)
    assert world.got == [] and words in feed.health().detail


def test_previous_runs_tell_what_was_said_of_each_day_before(virtual: Any) -> None:
    world = Served(virtual, start=datetime(2026, 12, 2, 15, 5, tzinfo=UTC))

    async def script(_: Feed) -> None:
        await asyncio.sleep(3_600)

    routes = simulated.routes(world.around)
    urls = simulated.ADDRESSES["open-meteo-past"]
    feed = world.run(PAST, past_feed, routes, urls, script, follows=("gfs_seamless",))
    assert feed.health().state is FeedState.OK
    mine = next(v for v in world.got if isinstance(v, PastForecasts) and v.station == "KNYC")
    assert set(mine.daily_max_f) == {1, 2} == set(mine.daily_min_f)
    start_ms, end_ms = climate_day_bounds(NYC, "2026-11-30")
    said = [
        world.weather.forecast_f("KNYC", at, at - 24 * HOUR_MS) for at in range(start_ms, end_ms, HOUR_MS)
    ]
    known = [f for f in said if f is not None]
    assert (mine.daily_min_f[1]["2026-11-30"], mine.daily_max_f[1]["2026-11-30"]) == (min(known), max(known))
    assert mine.daily_max_f[1] != mine.daily_max_f[2]


@pytest.mark.parametrize(("status", "count"), [(200, 2), (503, 1)])
def test_a_place_whose_past_cannot_be_used_holds_back_no_other(virtual: Any, status: int, count: int) -> None:
    asked: list[str] = []
    rows = {f"temperature_2m_previous_day{lead}": [40.0] * 24 for lead in (1, 2)}

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["latitude"])
        offset_s = -21_600 if len(asked) == 2 else 0
        told = answer(rows, utc_offset_seconds=offset_s, hourly_units=dict.fromkeys(rows, "°F"))
        return httpx.Response(status, json=told)

    got: list[FeedValue] = []
    clocks = virtual.clocks(world_ms=NOW_MS)

    async def work() -> Polled | Failed:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            return await PastSource(GFS.name, [NYC, stations()["KMDW"]], fetcher, clocks, got.append).poll()

    outcome = virtual.run(work())
    assert isinstance(outcome, Failed) and len(asked) == count
    assert [v.station for v in got if isinstance(v, PastForecasts)] == (["KMDW"] if status == 200 else [])


@given(
    st.dictionaries(
        st.sampled_from(["time", "temperature_2m", "temperature_2m_member01", "x"]),
        st.lists(st.one_of(st.none(), st.floats(), st.text(max_size=6)), max_size=3),
    ),
    st.dictionaries(st.sampled_from(["time", "temperature_2m"]), st.sampled_from(["°F", "°C", "iso8601"])),
)
def test_no_answer_gives_absurd_hours(hourly: dict[str, Any], units: dict[str, str]) -> None:
    found = hours(Answer(-18_000, units, hourly), NYC)
    if not isinstance(found, Failed):
        assert all(v is None or -60 <= v <= 140 for row in found.members for v in row)
