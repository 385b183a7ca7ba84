"""Kalshi's temperature index against its simulator: pending, missing, degraded, and a changed weighting."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.told import Told
from core.feeds.feed import Feed, FeedState, Stamp
from core.feeds.fetch import Failed
from core.feeds.kalshi_index import INDEX, MINUTE_MS, OFFICIAL_AFTER_MS, Answer, index_feed, read_minutes
from core.feeds.values import IndexStatus, WeatherIndex
from core.sim.feeds import kalshi_index as simulated
from core.sim.feeds.kalshi_index import ADDRESSES, Quirks
from tests.feeds.served import Served

NOW_MS = 1_795_359_900_000


def ran(
    virtual: Any, hours: float, quirks: Quirks | None = None, icaos: tuple[str, ...] = ("KNYC", "KAUS")
) -> tuple[Served, Feed]:
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(hours * 3600)

    routes = simulated.routes(world.around, quirks)
    return world, world.run(INDEX, index_feed, routes, ADDRESSES["kalshi-index"], script, icaos=icaos)


def minutes(world: Served) -> list[WeatherIndex]:
    return [v for v in world.got if isinstance(v, WeatherIndex)]


def test_minutes_come_pending_are_revised_and_become_official_once(virtual: Any) -> None:
    world, feed = ran(virtual, 0.5)
    assert feed.health().state is FeedState.OK
    by_minute: dict[int, list[WeatherIndex]] = {}
    for one in minutes(world):
        assert one.city == "nyc", "Austin's surroundings have no index"
        by_minute.setdefault(one.stamp.event_ms, []).append(one)
    settled = [told for told in by_minute.values() if told[-1].settled]
    assert len(settled) > 40
    for told in settled:
        official = [one for one in told if one.settled]
        assert len(official) == 1 and told[-1] is official[0], "what is official changes no more"
    assert any(len({one.hundredths_f for one in told}) > 2 for told in by_minute.values())


def test_a_minute_nobody_told_of_is_not_made_up(virtual: Any) -> None:
    world, _ = ran(virtual, 3.0)
    told = {one.stamp.event_ms for one in minutes(world)}
    span = (max(told) - min(told)) // MINUTE_MS + 1
    assert 0 < span - len(told) < span / 10


def test_without_quorum_there_is_no_value_and_it_grows_old(virtual: Any) -> None:
    world, feed = ran(virtual, 0.2, Quirks(no_quorum=True))
    assert minutes(world) and {one.hundredths_f for one in minutes(world)} == {None}
    assert {one.status for one in minutes(world)} == {IndexStatus.INCOMPLETE}
    assert feed.health().state is FeedState.WAITING


def test_degraded_minutes_say_so_with_their_stations(virtual: Any) -> None:
    world, _ = ran(virtual, 0.2, Quirks(degraded=True))
    degraded = [one for one in minutes(world) if one.status is IndexStatus.DEGRADED]
    assert degraded and all(3 <= one.contributors < 5 for one in degraded)


def test_another_weighting_is_told_with_the_minute(virtual: Any) -> None:
    quirks = Quirks()
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(600)
        quirks.new_config = True
        await asyncio.sleep(600)

    world.run(INDEX, index_feed, simulated.routes(world.around, quirks), ADDRESSES["kalshi-index"], script)
    mine = [one.config for one in minutes(world) if one.city == "nyc"]
    assert len(dict.fromkeys(mine)) == 2


def test_silence_makes_it_stale(virtual: Any) -> None:
    _, feed = ran(virtual, 0.5, Quirks(silent_ms=NOW_MS))
    assert feed.health().state is FeedState.STALE


def test_another_unit_is_refused(virtual: Any) -> None:
    world, feed = ran(virtual, 0.1, Quirks(celsius=True))
    assert minutes(world) == [] and "not in degrees Fahrenheit" in feed.health().detail


def test_without_a_city_nothing_is_asked_and_it_says_so(virtual: Any) -> None:
    world, feed = ran(virtual, 0.1, icaos=("KAUS",))
    assert world.asked == [] and feed.health().detail == "it follows nothing"


def answer(**change: Any) -> Answer:
    row = {
        "t": NOW_MS // MINUTE_MS * MINUTE_MS - MINUTE_MS,
        "v": 47.63,
        "status": "normal",
        "contributors": 5,
    }
    body = {"city": "nyc", "units": "fahrenheit", "config_version": "c", "timeseries": [row | change]}
    return msgspec.convert(body, Answer)


@pytest.mark.parametrize(
    "change",
    [{"t": NOW_MS + 600_000}, {"t": 17}, {"t": NOW_MS // MINUTE_MS * MINUTE_MS - 1}, {"v": 400.0},
     {"status": "splendid"}],
)  # fmt: skip
def test_a_minute_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    found = read_minutes(answer(**change), "nyc", NOW_MS)
    assert isinstance(found, Failed) and found.status == 200


def test_a_minute_is_official_only_when_nothing_may_change_it() -> None:
    read = read_minutes(answer(), "nyc", NOW_MS)
    assert isinstance(read, dict)
    [(at_ms, (value, status, official, contributors, config))] = read.items()
    assert (value, status, official, contributors, config) == (4_763, IndexStatus.NORMAL, False, 5, "c")
    later = read_minutes(answer(), "nyc", at_ms + OFFICIAL_AFTER_MS)
    assert isinstance(later, dict) and later[at_ms][2]


@given(st.integers(), st.one_of(st.none(), st.floats()), st.text(max_size=8), st.integers())
def test_no_minute_is_absurd(t: int, v: float | None, status: str, contributors: int) -> None:
    try:
        wire = answer(t=t, v=v, status=status, contributors=contributors)
    except msgspec.ValidationError:
        return
    read = read_minutes(wire, "nyc", NOW_MS)
    if not isinstance(read, Failed):
        for at_ms, (value, _, _, count, _) in read.items():
            assert at_ms <= NOW_MS + 5_000 and (value is None or -6_000 <= value <= 14_000) and count >= 0


def test_an_older_minute_takes_no_newer_ones_place() -> None:
    told = Told()

    def minute(at_ms: int, value: int | None, *, settled: bool) -> WeatherIndex:
        status = IndexStatus.NORMAL if value is not None else IndexStatus.INCOMPLETE
        return WeatherIndex("nyc", value, status, settled, 5, "c", Stamp(at_ms, 0, 0))

    for one in (
        minute(600, 4_700, settled=False),
        minute(300, 4_600, settled=True),
        minute(700, None, settled=False),
    ):
        told.absorb(one)
    assert told.indices["nyc"].hundredths_f == 4_700
    assert told.official["nyc"].hundredths_f == 4_600
