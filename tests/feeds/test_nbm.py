"""Station guidance: tables for people, rows of the archive, and the feed against its simulator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.feed import Feed, FeedState
from core.feeds.fetch import Failed, Fetcher
from core.feeds.nbm import GUIDANCE, GuidanceSource, guidance_feed, newest_run_ms
from core.feeds.nbm_text import GuidanceRow, by_day, parse_tables, utc_ms, whole
from core.feeds.pace import Pace
from core.feeds.stations import HOUR_MS, stations
from core.feeds.values import Guessed, StationGuidance
from core.sim.feeds import iem
from core.sim.feeds.iem import Quirks
from tests.feeds.served import Served

RECORDED = Path(__file__).parents[3] / "shared/data/feeds/nws_text/MOS"
TABLE = """000
FOUS16 KWNO 221300
NBSUSA
KNYC    NBM V5.0 NBS GUIDANCE    11/22/2026  1300 UTC
DT      /NOV  23                /NOV  24
UTC  18 21 00 03 06 09 12 15 18 21 00 03 06 09 12
FHR  05 08 11 14 17 20 23 26 29 32 35 38 41 44 47
TXN        54          41         101          -3
XND         2           3           2           4
TMP  52 53 50 48 46 44 42 45 50100 99 90 70 50 -3
"""


def hour(day: int, hh: int) -> int:
    return int(datetime(2026, 11, day, hh, tzinfo=UTC).timestamp()) * 1000


def test_a_table_gives_the_days_maxima_and_the_nights_minima() -> None:
    (table,) = parse_tables(TABLE)
    assert (table.station, table.model, table.run_ms) == ("KNYC", "NBS", hour(22, 13))
    highs, lows = by_day(table.rows, stations()["KNYC"])
    assert highs == {"2026-11-22": Guessed(54, 2), "2026-11-23": Guessed(101, 2)}
    assert lows == {"2026-11-23": Guessed(41, 3), "2026-11-24": Guessed(-3, 4)}


@pytest.mark.parametrize("icao", ["KNYC", "KMDW", "KDEN", "KLAX"])
def test_an_extreme_belongs_to_the_climate_day_of_its_hour(icao: str) -> None:
    rows = [GuidanceRow(hour(23, 0), 54, 2), GuidanceRow(hour(23, 12), "41", None)]
    highs, lows = by_day(rows, stations()[icao])
    assert (list(highs), list(lows)) == (["2026-11-22"], ["2026-11-23"])


def test_recorded_tables_of_every_layout() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded guidance texts are not here")
    read = {name: parse_tables((RECORDED / name).read_text()) for name in
            ("NBS_12Z.txt", "NBS_v5.txt", "NBEUSA.txt", "NBSUSA_32_station.txt", "MEXNC1.txt")}  # fmt: skip
    (early,) = read["NBS_12Z.txt"]
    assert [(row.txn, row.xnd) for row in early.rows] == [
        ("72", "2"), ("49", "3"), ("59", "4"), ("47", "2"), ("61", "3"), ("44", "2")
    ]  # fmt: skip
    assert [(row.at_ms - early.run_ms) // HOUR_MS for row in early.rows] == [12, 24, 36, 48, 60, 72]
    (new,) = read["NBS_v5.txt"]
    assert [row.txn for row in new.rows] == ["50", "59", "47", "62", "44"]
    first = read["NBEUSA.txt"][0]
    assert [row.txn for row in first.rows] == (
        ["64", "87", "62", "86", "63", "87", "64", "87", "66", "88", "66", "88", "65", "90", "65"]
    )
    assert first.rows[0].at_ms - first.run_ms == 22 * HOUR_MS
    assert [row.txn for row in read["NBSUSA_32_station.txt"][0].rows] == ["23", "33", "16", "32", "25"]
    assert read["MEXNC1.txt"] == (), "another product is not read by its columns"


@given(st.text(max_size=400))
def test_no_text_raises_or_gives_absurd_degrees(noise: str) -> None:
    for text in (noise, TABLE.replace("TXN", noise[:3]), TABLE + noise, TABLE.replace("FHR", noise)):
        for table in parse_tables(text):
            highs, lows = by_day(table.rows, stations()["KNYC"])
            assert all(-60 <= g.f <= 140 for g in (*highs.values(), *lows.values()))


@given(st.one_of(st.none(), st.floats(), st.text(max_size=12)))
def test_a_whole_number_or_none(value: float | str | None) -> None:
    found = whole(value)
    assert found is None or abs(found) < 998
    assert utc_ms(value if isinstance(value, str) else None) is None or isinstance(value, str)


def test_the_newest_run_is_the_one_that_should_be_out() -> None:
    assert newest_run_ms(hour(22, 14)) == hour(22, 7)
    assert newest_run_ms(hour(22, 14) + 15 * 60_000) == hour(22, 13)


def ran(virtual: Any, hours: float, quirks: Quirks | None = None) -> tuple[Served, Feed]:
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(hours * 3600)

    return world, world.run(
        GUIDANCE, guidance_feed, iem.routes(world.around, quirks), iem.ADDRESSES["nbm"], script
    )


def test_each_run_of_both_kinds_is_read_once_for_each_station(virtual: Any) -> None:
    world, feed = ran(virtual, 7.0)
    assert feed.health().state is FeedState.OK
    got = [v for v in world.got if isinstance(v, StationGuidance)]
    assert len(got) == 2 * 2 * 2, "two stations, two kinds, the runs of 13 and 19"
    mine = next(v for v in got if v.station == "KNYC" and v.model == "NBS")
    assert mine.stamp.event_ms == hour(22, 13)
    assert set(mine.daily_max_f) >= {"2026-11-22", "2026-11-23"} and "2026-11-23" in mine.daily_min_f
    assert len(world.asked) < 20
    received_ns = feed.health().received_ns
    assert received_ns is not None and world.clocks.mono_ns() - received_ns > 1.5 * 3_600e9, (
        "turns in which nothing was due refresh no receipt"
    )


def test_a_run_that_is_late_is_no_failure_and_grows_old(virtual: Any) -> None:
    world, feed = ran(virtual, 1.0, Quirks(late=True))
    assert (world.got, feed.health().failures, feed.health().state) == ([], 0, FeedState.WAITING)


def test_rows_of_another_station_are_refused(virtual: Any) -> None:
    world, feed = ran(virtual, 1.0, Quirks(other_station=True))
    assert world.got == [] and "another station" in feed.health().detail


def test_an_archive_that_fails_is_not_asked_for_the_next_station_at_once(virtual: Any) -> None:
    clocks, asked = virtual.clocks(world_ms=hour(22, 15)), list[str]()

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["station"])
        return httpx.Response(503)

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            fetcher = Fetcher(client, "http://feed", clocks, "pmconsole/test", "application/json")
            both = [stations()[icao] for icao in ("KNYC", "KMDW")]
            source = GuidanceSource("NBS", both, fetcher, Pace(clocks), clocks, lambda _: None)
            assert isinstance(await source.poll(), Failed)

    virtual.run(work())
    assert asked == ["KNYC"]


def test_a_busy_archive_backs_off(virtual: Any) -> None:
    world, feed = ran(virtual, 1.0, Quirks(busy=True))
    assert world.got == [] and feed.health().state is FeedState.DOWN
    assert len(world.asked) < 250
