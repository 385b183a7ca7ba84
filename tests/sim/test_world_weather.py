"""The generated part of the weather fits the recorded part."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.feeds import open_meteo
from core.sim.feeds import station_report
from core.sim.weather import HOUR_MS, OBSERVATION_DELAY_MS, RUN_EVERY_MS, day_start_ms, half_up

MakeDesk = Callable[..., Any]
DEMO_SPEED = 144


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reports_of_every_day_peak_at_the_observed_high(make_desk: MakeDesk, seed: int) -> None:
    weather = make_desk("quiet", seed).sim.world.weather
    for (station, original), record in weather.scenario.days.items():
        day = weather.calendar.world(original)
        reports = weather.observations(station, day)
        assert max(half_up(r.temp_f) for r in reports) == record.observed_high_f
        # What a client reads from the report's T group is the same degree.
        groups = [
            re.search(r" T([01])(\d{3})", station_report.text(weather, weather.stations[station], r))
            for r in reports
        ]
        tenths = [(-1 if g[1] == "1" else 1) * int(g[2]) for g in groups if g]
        assert max(half_up(t * 0.18 + 32) for t in tenths) == record.observed_high_f


def test_a_report_is_out_two_minutes_after_its_time(make_desk: MakeDesk) -> None:
    world = make_desk("quiet").sim.world
    report = world.weather.observations("KNYC", world.first_day)[14]
    at = report.at_ms + OBSERVATION_DELAY_MS
    assert report not in world.weather.reported("KNYC", at - 1, 3)
    assert world.weather.reported("KNYC", at, 3)[0] == report


def test_runs_converge_on_the_recorded_forecast(make_desk: MakeDesk) -> None:
    weather = make_desk("demo").sim.world.weather
    day = weather.calendar.world(weather.scenario.script.first_day) + timedelta(days=4)
    for station in weather.stations.values():
        start = day_start_ms(station, day)
        recorded = max(
            weather.scenario.hourly_f[station.icao][at - weather.calendar.offset_days * 24 * HOUR_MS]
            for at in range(start, start + 24 * HOUR_MS, HOUR_MS)
        )
        off = [
            abs(weather.forecast_high_f(station.icao, day, start + h * HOUR_MS) - recorded)
            for h in range(-60, 24, 6)
        ]
        assert off[-1] == 0
        assert max(off) > 0


def test_no_hour_of_the_demo_has_a_forecast_older_than_its_desk_takes_one(make_desk: MakeDesk) -> None:
    world = make_desk("demo").sim.world
    for hour in range(96):
        now_ms = world.now_ms() + hour * HOUR_MS
        old_ms = now_ms - world.weather.valued_run(now_ms).started_ms
        assert old_ms <= open_meteo.FORECAST.stale_after_s * 1000, hour


def test_every_run_of_the_held_hours_repeats_the_first(make_desk: MakeDesk) -> None:
    world = make_desk("demo").sim.world
    weather, origin = world.weather, world.now_ms()
    day = world.first_day + timedelta(days=1)
    told_s = max(beat.at_s for beat in weather.scenario.script.story) * DEMO_SPEED
    assert told_s > 6 * 3_600
    told = range(origin, origin + round(told_s * 1000), HOUR_MS // 4)
    assert len({weather.forecast_high_f("KMDW", day, at_ms) for at_ms in told}) == 1
    assert weather.run(origin).started_ms < weather.run(origin + 3 * HOUR_MS).started_ms


def test_a_published_forecast_leaves_the_past_as_it_was(make_desk: MakeDesk) -> None:
    world = make_desk("demo").sim.world
    weather, now = world.weather, world.now_ms()
    day = world.first_day + timedelta(days=1)
    before, run = weather.forecast_high_f("KNYC", day, now), weather.run(now)
    weather.publish("KNYC", day, 0.0, now + 60_000)
    assert weather.forecast_high_f("KNYC", day, now + 60_000) == pytest.approx(before + 1.5)
    assert weather.forecast_high_f("KNYC", day, now) == before
    assert weather.run(now) == run
    fresh = weather.run(now + 60_000)
    assert fresh.available_ms == now + 60_000
    assert run.started_ms < fresh.started_ms < run.started_ms + RUN_EVERY_MS


def test_the_seed_decides_what_is_generated(make_desk: MakeDesk) -> None:
    def path(seed: int) -> list[float]:
        world = make_desk("demo", seed).sim.world
        return [o.temp_f for o in world.weather.observations("KDEN", world.first_day)]

    assert path(1) == path(1)
    assert path(1) != path(2)


def _weather(ticker: str) -> bool:
    """Prices, games and releases go by the date they are on."""
    return ticker.startswith(("KXHIGH", "KXLOW"))


def test_the_same_seed_makes_the_same_world_on_another_date(make_desk: MakeDesk) -> None:
    def generated(days_later: int) -> list[Any]:
        sim = make_desk("demo", 3, days_later=days_later).sim
        weather, now = sim.world.weather, sim.world.now_ms()
        day = sim.world.first_day + timedelta(days=2)
        return [
            [o.temp_f for o in weather.observations("KDEN", day)],
            [weather.forecast_high_f("KMDW", day, now + h * HOUR_MS) for h in range(0, 48, 6)],
            [weather.office_f("KNYC", day_start_ms(weather.stations["KNYC"], day) + 15 * HOUR_MS, now)],
            weather.members_f("KAUS", now // HOUR_MS * HOUR_MS, 24, now),
            [sim.exchange.book(ticker).bids for ticker in sim.exchange.markets if _weather(ticker)],
        ]

    assert generated(0) == generated(11)


def test_on_the_storys_days_all_models_know_the_same(make_desk: MakeDesk) -> None:
    told, plain = make_desk("demo").sim, make_desk("quiet").sim
    days = [told.world.first_day + timedelta(days=n) for n in range(3)]
    lies = [told.world.weather.other_shift_f("ecmwf_ifs025", "KMIA", day, 1) for day in days]
    assert lies[0] == lies[1] == -1.4 != lies[2]
    assert plain.world.weather.other_shift_f("ecmwf_ifs025", "KMIA", days[0], 1) != -1.4


def test_the_crowd_weighs_all_models_on_the_storys_days_alone(make_desk: MakeDesk) -> None:
    told, plain = make_desk("demo").sim, make_desk("quiet").sim
    for sim, heavy in ((told, True), (plain, False)):
        listed = sim.world.event("KMDW", 1)
        law, belief = (
            sim.traders.beliefs._law(listed),
            sim.world.weather.belief("KMDW", sim.world.first_day),
        )
        assert law.heavy is heavy
        assert (law.sigma == pytest.approx(belief.sigma_f, rel=0.02)) is not heavy


def test_guidance_of_the_storys_days_is_the_same_in_every_run(make_desk: MakeDesk) -> None:
    world = make_desk("demo").sim.world
    station, origin = world.weather.stations["KNYC"], world.now_ms()
    days = [day_start_ms(station, world.first_day + timedelta(days=n)) for n in (1, 4)]
    told = [
        {tuple(world.weather.guidance_f("KNYC", start + h * HOUR_MS, run) for h in range(24)) for run in runs}
        for start in days
        for runs in [[origin + h * HOUR_MS for h in range(0, 30, 6)]]
    ]
    assert len(told[0]) == 1 < len(told[1])
