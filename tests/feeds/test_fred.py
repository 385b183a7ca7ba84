"""FRED's series: dates without times, days without values, and the simulated service."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import fred
from core.feeds.declaration import Key
from core.feeds.feed import FeedState
from core.feeds.fred import Observation, Page, Point, parse
from core.feeds.quotes import SeriesPast, SeriesPoint
from core.sim.feeds import fred as sim
from core.sim.releases import Releases, Staged
from tests.feeds.crypto import NOW_MS, Played

SAMPLE = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/feeds/econ_calendar/fred_observations_vixcls_example.json"
)
DAY_MS = 86_400_000


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the recordings in ../shared are not here")
def test_the_sample_is_read_and_its_holiday_is_none() -> None:
    page = msgspec.json.decode(SAMPLE.read_bytes(), type=Page)
    assert parse(page.observations) == (
        Point("2026-11-19", NOW_MS - 3 * DAY_MS, 18.42),
        Point("2026-11-20", NOW_MS - 2 * DAY_MS, None),
    )


@pytest.mark.parametrize(
    ("observation", "why"),
    [
        (Observation("2026-02-30", "1"), "has no date"),
        (Observation("20261119", "1"), "has no date"),
        (Observation("2026-11-19", "NaN"), "is no value"),
        (Observation("2026-11-19", "1e3"), "is no value"),
        (Observation("2026-11-19", ""), "is no value"),
    ],
)
def test_a_point_that_is_none_refuses_the_answer(observation: Observation, why: str) -> None:
    found = parse((Observation("2026-11-18", "1.0"), observation))
    assert isinstance(found, str) and why in found


@given(st.lists(st.builds(Observation, st.text(max_size=12) | st.dates().map(str), st.text(max_size=8))))
def test_nothing_is_raised_and_days_rise(observations: list[Observation]) -> None:
    found = parse(tuple(observations))
    if not isinstance(found, str):
        days = [point.day for point in found]
        assert days == sorted(set(days))
        for point in found:
            at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=point.at_ms)
            assert at.date() == date.fromisoformat(point.day)


def play(virtual: Any, key: str = "simulated", **more: Any) -> Played:
    more.setdefault("follows", ("VIXCLS",))
    return Played(virtual, fred, sim.Fred, addresses=sim.ADDRESSES, key=Key(key), **more)


def test_fridays_close_is_held_over_the_weekend_and_mondays_comes_on_tuesday(virtual: Any) -> None:
    played = play(virtual)

    async def script() -> None:
        await asyncio.sleep(10)
        assert played.feed.health().state is FeedState.OK
        await asyncio.sleep(3 * 86_400)
        assert played.feed.health().state is FeedState.OK

    played.run(script)
    points = [value for value in played.got if isinstance(value, SeriesPoint)]
    assert [point.day for point in points] == ["2026-11-20", "2026-11-23"]
    assert points[0].stamp.event_ms == NOW_MS - 2 * DAY_MS
    assert points[0].value == played.prices.value("VIX", NOW_MS - 27 * 3_600_000)


def test_the_past_of_figures_is_told_with_gaps_left_out_and_their_months_are_not_late(virtual: Any) -> None:
    played = play(virtual, follows=fred.FOLLOWED[1:])

    async def script() -> None:
        await asyncio.sleep(10)
        assert played.feed.health().state is FeedState.OK

    played.run(script)
    past = {value.series: value for value in played.got if isinstance(value, SeriesPast)}
    assert set(past) == set(fred.FOLLOWED[1:])
    assert all(len(one.points) == 120 for name, one in past.items() if not name.startswith("A191"))
    (day, last), (_, before) = past["CPIAUCSL"].points[-1], past["CPIAUCSL"].points[-2]
    assert day == "2026-10-01", "that of November comes in December"
    (release,) = played.sim.around.releases.between(NOW_MS - 20 * DAY_MS, NOW_MS, "CPI")
    assert round(100 * (last / before - 1), 1) == release.value


def test_a_month_has_its_value_from_its_first_release_on_and_another_one_revises_it(virtual: Any) -> None:
    """The demo stages a release beside the usual ones, of a month that has had its own."""
    played = play(virtual, follows=("CPIAUCSL",))
    staged_ms = NOW_MS + 8 * DAY_MS + 14 * 3_600_000
    releases = Releases(4, [Staged("CPI", staged_ms)])  # which say something else each
    played.sim.around = msgspec.structs.replace(played.sim.around, releases=releases)

    async def script() -> None:
        for _ in range(9):
            await asyncio.sleep(86_400)
            health = played.feed.health()
            assert health.state is FeedState.OK, health.detail

    played.run(script)
    first, revised = (value for value in played.got if isinstance(value, SeriesPast))
    assert first.points[:-1] == revised.points[:-1]
    assert first.points[-1][0] == revised.points[-1][0] == "2026-10-01"
    assert first.points[-1] != revised.points[-1]


def test_a_day_without_a_value_replaces_none(virtual: Any) -> None:
    played = play(virtual)
    played.sim.holidays.add(date(2026, 11, 20))

    async def script() -> None:
        await asyncio.sleep(10)

    played.run(script)
    [point] = played.got
    assert isinstance(point, SeriesPoint)
    assert (point.day, point.value is not None) == ("2026-11-19", True)


@pytest.mark.parametrize(
    ("key", "follows", "state", "words"),
    [
        ("wrong-key", ("VIXCLS",), FeedState.AUTH, "api_key is not registered"),
        ("simulated", ("NOPE",), FeedState.DOWN, "The series does not exist"),
    ],
)
def test_what_is_refused_is_told_in_its_own_words(
    virtual: Any, key: str, follows: tuple[str, ...], state: FeedState, words: str
) -> None:
    played = play(virtual, key, follows=follows)

    async def script() -> None:
        await asyncio.sleep(600)
        health = played.feed.health()
        assert (health.state, words in health.detail) == (state, True)
        assert "wrong-key" not in health.detail

    played.run(script)
    assert "wrong-key" not in json.dumps([one.what for one in played.recorded])
    assert len(played.recorded) == (1 if state is FeedState.AUTH else len(played.recorded))


def test_a_limit_slows_it_down(virtual: Any) -> None:
    played = play(virtual)
    played.sim.limited = True

    async def script() -> None:
        await asyncio.sleep(2)
        assert "Too Many Requests" in played.feed.health().detail

    played.run(script)
