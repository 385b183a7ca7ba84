"""Every family's series, events, markets and messages, judged by the venue's own specifications."""

from __future__ import annotations

from typing import Any

from core.domain.clock import WorldClock
from core.sim.families.floor import FamilyFloor
from core.sim.families.ranges import hunches
from core.sim.families.table import Told, families
from core.sim.games import Games
from core.sim.prices import Prices
from core.sim.releases import Releases, Staged
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Weather
from core.sim.world import start_calendar

HOUR_MS = 3_600_000


async def test_every_family_is_told_as_the_venue_tells_its_own(desk: Any) -> None:
    floor, exchange = desk.floor, desk.exchange
    scenario, start_ms = load_scenario("demo"), floor.clock.ms
    floor.world = WorldClock(start_ms, start_ms, 1.0)
    weather = Weather(scenario, start_calendar(scenario, start_ms), start_ms, 1)
    releases = Releases(1, [Staged("CPI", start_ms + 3 * HOUR_MS)])
    told = Told(weather, Prices(1), Games(1), releases, 144.0, lambda _: start_ms, hunches(1))
    made = FamilyFloor(exchange, families(scenario.script.families, told), floor.clock, floor.world)

    def live(hours: int, step_ms: int) -> None:
        until = floor.clock.ms + hours * HOUR_MS
        while floor.clock.ms < until:
            exchange.advance()
            made.step()
            floor.clock.ms += step_ms

    live(1, 600_000)
    follower = desk.join()
    tickers = [spec.ticker for event in exchange.events.values() for spec in event.markets]
    follower.send("subscribe", channels=["market_lifecycle_v2"])
    follower.send("subscribe", channels=["orderbook_delta", "ticker"], market_tickers=tickers)
    live(60, HOUR_MS // 2)
    kinds = {(m["type"], m["msg"].get("event_type", "")) for m in follower.take()}
    assert {("orderbook_delta", ""), ("market_lifecycle_v2", "determined")} <= kinds
    for family in made._families:
        series = family.series.ticker
        assert (await desk.get(f"/series/{series}"))["series"]["ticker"] == series
        events = (await desk.get(f"/events?series_ticker={series}&with_nested_markets=true"))["events"]
        markets = [market for event in events for market in event["markets"]]
        assert "finalized" in {market["status"] for market in markets}, series
        for market in markets[:3]:
            await desk.get(f"/markets/{market['ticker']}/orderbook")
            assert market["rules_primary"].startswith(("Yes if ", "If "))
            assert market["close_time"] > market["open_time"]
