"""What the simulated exchange lists, when it closes and how it settles."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.sim.brackets import six
from core.sim.contracts import MarketStatus
from core.sim.scenarios import loader
from core.sim.scenarios.loader import ScenarioError, load_scenario, scenario_names
from core.sim.weather import climate_day
from core.sim.world import start_clock

MakeDesk = Callable[..., Any]


def world_text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def test_two_days_of_five_cities_are_open_at_the_start(make_desk: MakeDesk) -> None:
    sim = make_desk().sim
    exchange = sim.exchange
    markets = {t: m for t, m in exchange.markets.items() if m.spec.series_ticker.startswith("KXHIGH")}
    assert len(markets) == 60
    assert {m.status for m in markets.values()} == {MarketStatus.ACTIVE}
    assert sorted(sim.world.listings) == sorted(
        f"{series}-26NOV{day}"
        for series in ("KXHIGHNY", "KXHIGHCHI", "KXHIGHMIA", "KXHIGHAUS", "KXHIGHDEN")
        for day in (23, 24)
    )


def test_rules_name_the_station_and_close_is_a_minute_before_standard_midnight(make_desk: MakeDesk) -> None:
    sim = make_desk().sim
    for event, closes in (
        ("KXHIGHNY-26NOV23", "04:59"),
        ("KXHIGHCHI-26NOV23", "05:59"),
        ("KXHIGHDEN-26NOV23", "06:59"),
    ):
        spec = sim.exchange.events[event]
        for market in spec.markets:
            code = re.findall(r"CLI[A-Z]{3}", market.rules_primary)
            assert code == [sim.world.scenario.stations[sim.world.listings[event].station].cli]
            assert world_text(market.close_ms) == f"2026-11-24 {closes}"
            assert world_text(market.open_ms) == "2026-11-22 15:00"


def test_a_ladder_has_six_contiguous_brackets_with_strikes_like_their_tickers(make_desk: MakeDesk) -> None:
    markets = make_desk().sim.exchange.events["KXHIGHNY-26NOV24"].markets
    assert [m.ticker.rsplit("-", 1)[1] for m in markets] == ["T16", "B16.5", "B18.5", "B20.5", "B22.5", "T23"]
    assert [(m.strike_type, m.floor_strike, m.cap_strike) for m in markets] == [
        ("less", None, 16),
        ("between", 16, 17),
        ("between", 18, 19),
        ("between", 20, 21),
        ("between", 22, 23),
        ("greater", 23, None),
    ]


def test_exactly_one_bracket_pays_on_every_recorded_day() -> None:
    scenario = load_scenario("demo")
    for record in scenario.days.values():
        assert sum(bracket.pays(record.observed_high_f) for bracket in six(record.lowest_cap_f)) == 1


def test_every_trading_day_is_complete_in_every_city() -> None:
    scenario = load_scenario("demo")
    first, last = scenario.script.first_day, scenario.script.last_day
    for station in scenario.stations.values():
        hours = [climate_day(station, at) for at in scenario.hourly_f[station.icao]]
        for offset in range(-1, (last - first).days + 1):
            day = date.fromordinal(first.toordinal() + offset)
            assert hours.count(day) == 24
            assert (station.icao, day) in scenario.days
            assert (station.icao, day) in scenario.beliefs


def test_an_event_closes_is_determined_on_the_recorded_high_and_pays_an_hour_later(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk("quiet", speed=3600.0)
    sim, seen = desk.sim, {}
    ticker = "KXHIGHNY-26NOV23-B19.5"
    while desk.clock.ms < sim.world_clock.real_at(
        sim.world.listings["KXHIGHNY-26NOV23"].determine_ms + 7_200_000
    ):
        desk.run(0.5, step_ms=500)
        market = sim.exchange.markets[ticker]
        seen.setdefault(market.status, world_text(sim.world.now_ms()))
    assert seen[MarketStatus.CLOSED] == "2026-11-24 05:05"
    assert seen[MarketStatus.DETERMINED] == "2026-11-24 12:05"
    assert seen[MarketStatus.FINALIZED] == "2026-11-24 13:05"
    results = {
        m.spec.ticker: m.result
        for m in sim.exchange.markets.values()
        if m.spec.event_ticker == "KXHIGHNY-26NOV23"
    }
    assert results.pop(ticker) == "yes"  # Central Park, 2025-01-21: 19 degrees
    assert set(results.values()) == {"no"}
    assert sim.exchange.markets[ticker].expiration_value == "19.00"


def test_a_source_off_the_report_decides_the_bracket_and_prose_begins_with_its_value(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk("quiet", speed=7200.0)
    sim = desk.sim
    sim.world.off_f["KXHIGHNY-26NOV23"] = 1
    sim.world.prose.add("KXHIGHCHI-26NOV23")
    listed = sim.world.listings["KXHIGHNY-26NOV23"]
    desk.run((listed.determine_ms - sim.world.now_ms()) / 7_200_000 + 1, step_ms=500)
    markets = sim.exchange.markets
    assert [t for t in listed.tickers if markets[t].result == "yes"] == ["KXHIGHNY-26NOV23-B19.5"]
    assert {markets[t].expiration_value for t in listed.tickers} == {"20.00"}
    [prose] = {markets[t].expiration_value for t in sim.world.listings["KXHIGHCHI-26NOV23"].tickers}
    assert re.match(r"-?\d+\. Although", prose)


def test_the_next_day_opens_at_fifteen_utc_and_the_record_ends_quietly(make_desk: MakeDesk) -> None:
    desk = make_desk("quiet", speed=7200.0)
    sim = desk.sim
    opened = {}
    for _ in range(24 * 24):
        desk.run(0.5, step_ms=500)
        for event in sim.world.listings:
            opened.setdefault(event, world_text(sim.world.now_ms()))
    assert opened["KXHIGHNY-26NOV25"] == "2026-11-24 15:05"
    assert len(sim.world.listings) == 5 * 22
    assert not sim.world.open_listings()
    assert {m.status for m in sim.exchange.markets.values()} == {MarketStatus.FINALIZED}


@pytest.mark.parametrize("now", ["2026-11-23T02:13:00+00:00", "2026-11-23T09:00:00+00:00"])
def test_at_speed_one_world_time_is_real_time(now: str) -> None:
    now_ms = int(datetime.fromisoformat(now).timestamp() * 1000)
    clock = start_clock(load_scenario("demo"), 1.0, now_ms)
    assert clock.at(now_ms + 5) == now_ms + 5
    assert world_text(start_clock(load_scenario("demo"), 2.0, now_ms).at(now_ms)) == "2026-11-23 15:05"


def test_at_speed_one_a_late_evening_still_has_both_days(make_desk: MakeDesk) -> None:
    world = make_desk(speed=1.0).sim.world  # 02:13 UTC: the evening of the 22nd in New York
    assert {str(x.day) for x in world.open_listings()} == {"2026-11-22", "2026-11-23"}


def test_a_scenario_with_an_unknown_fault_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = loader._folder().joinpath("quiet.toml").read_text(encoding="utf-8")
    beat = '[[story]]\nat_s = 1.0\ndo = "polymarket_fault"\nfault = "gremlins"\n'
    (tmp_path / "odd.toml").write_text(quiet + beat, encoding="utf-8")
    monkeypatch.setattr(loader, "_folder", lambda: tmp_path)
    with pytest.raises(ScenarioError, match=r"scenario odd.toml: no Polymarket fault is called 'gremlins'"):
        load_scenario("odd")


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"unknown scenario 'nope': one of .*load, quarters, quiet"):
        load_scenario("nope")
    for name in scenario_names():
        assert load_scenario(name).name == name
