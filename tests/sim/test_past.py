"""Days made before the record: warm in the afternoon, cold before dawn, without a break at midnight."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from core.sim.past import HOUR_MS, PAST_DAYS, SEASONS, Past
from core.sim.scenarios.loader import load_scenario

SCENARIO = load_scenario("demo")
FIRST = SCENARIO.script.first_day


def made(seed: int = 1) -> Past:
    return Past(SCENARIO.stations, SCENARIO.days, SCENARIO.beliefs, seed)


@pytest.mark.parametrize("icao", SEASONS)
def test_a_past_day_is_warmest_in_the_afternoon_and_goes_on_over_midnight(icao: str) -> None:
    past, offset = made(), SCENARIO.stations[icao].lst_offset_h
    midnight = datetime.combine(FIRST - timedelta(days=60), datetime.min.time(), UTC)
    start_ms = int(midnight.timestamp()) * 1000 - offset * HOUR_MS
    hours = [past.hour_f(icao, start_ms + n * HOUR_MS) for n in range(50 * 24)]
    told = [f for f in hours if f is not None]
    assert len(told) == len(hours)
    for day in range(50):
        of = told[day * 24 : day * 24 + 24]
        assert of[15] == max(of)
        assert of[5] == min(of[:15])
    changes = [abs(after - before) for before, after in itertools.pairwise(told)]
    midnights = changes[23::24]
    assert max(midnights) <= max(changes[n] for n in range(len(changes)) if n % 24 != 23)


def test_an_hour_has_one_forecast_whatever_was_asked_before() -> None:
    one, other = made(), made()
    start_ms = int(datetime.combine(FIRST, datetime.min.time(), UTC).timestamp()) * 1000 - 20 * 24 * HOUR_MS
    at = [start_ms + n * HOUR_MS for n in range(72)]
    assert [one.hour_f("KDEN", ms) for ms in at] == [other.hour_f("KDEN", ms) for ms in reversed(at)][::-1]
    assert [made(2).hour_f("KDEN", ms) for ms in at] != [one.hour_f("KDEN", ms) for ms in at]
    long_ago = start_ms - (PAST_DAYS + 2) * 24 * HOUR_MS
    assert one.hour_f("KDEN", long_ago) is None
