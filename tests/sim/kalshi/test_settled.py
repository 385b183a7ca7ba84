"""The archive of a world that has a past: markets that were over before it began."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from core.sim.past import PAST_DAYS
from core.sim.settled import SettledPast
from core.venues.kalshi import series
from core.venues.kalshi.settles import settles


async def test_settled_days_before_the_world_are_in_the_archive_alone(
    desk: Any, make_desk: Callable[..., Any]
) -> None:
    world = make_desk("quiet").sim.world
    past = desk.venue.past = SettledPast(world)
    desk.venue.archive.market_settled_ms = past.began_ms
    assert len(past.of_series("KXHIGHNY")) >= 6 * PAST_DAYS
    first = await desk.get("/historical/markets?series_ticker=KXHIGHNY&limit=12")
    rest = await desk.get(f"/historical/markets?series_ticker=KXHIGHNY&limit=24&cursor={first['cursor']}")
    rows = first["markets"] + rest["markets"]
    assert [row["ticker"] for row in rows] == list(past.of_series("KXHIGHNY"))[:36]
    for row in rows[::6]:
        day = series.event_day(row["event_ticker"], "KXHIGHNY")
        assert day is not None and day < world.first_day
        found = settles("KXHIGHNY", day, row["rules_primary"], row["rules_secondary"])
        assert (found.station, found.doubt) == ("KNYC", "")
        event = [other for other in rows if other["event_ticker"] == row["event_ticker"]]
        assert [other["result"] for other in event].count("yes") == 1 and len(event) == 6
        record = world.weather.record("KNYC", day)
        assert {other["expiration_value"] for other in event} == {f"{record.observed_high_f:.2f}"}
    one = rows[-1]["ticker"]
    assert (await desk.get(f"/historical/markets/{one}"))["market"]["status"] == "finalized"
    assert (await desk.call("GET", f"/markets/{one}")).status_code == 404
    assert not (await desk.get("/historical/markets?series_ticker=KXINX"))["markets"]
    lows = (await desk.get("/historical/markets?series_ticker=KXLOWTNYC&limit=6"))["markets"]
    assert lows and lows[0]["floor_strike" if "floor_strike" in lows[0] else "cap_strike"] is not None


async def test_what_is_not_paid_when_the_world_begins_is_no_part_of_its_past(
    make_desk: Callable[..., Any],
) -> None:
    desk = make_desk("quiet")
    desk.clock.ms -= 6 * 3_600_000 // 144  # world time is 09:05: yesterday's outcome comes at noon
    world = desk.sim.world
    past = SettledPast(world)
    assert max(market.settled_world_ms for market in past.of_series("KXHIGHDEN").values()) < world.now_ms()
    yesterday = f"KXHIGHDEN-{world.first_day - timedelta(days=1):%y%b%d}".upper()
    assert not [ticker for ticker in past.of_series("KXHIGHDEN") if ticker.startswith(yesterday)]
