"""The running day: what is certain of its high and low, and what is not."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.feed import Stamp
from core.feeds.observed import Bound, Evidence, RunningDay, observe, report, take_back
from core.feeds.stations import HOUR_MS, Station, climate_day_bounds, stations
from core.feeds.values import ClimateReport, DailySummary, Groups, Observation

NYC, CHI, LAX = (stations()[icao] for icao in ("KNYC", "KMDW", "KLAX"))
DAY = "2026-11-22"
START_MS, END_MS = climate_day_bounds(NYC, DAY)
MINUTE_MS = 60_000


def reading(
    at_ms: int, low: int, high: int | None = None, groups: Groups = Groups(), *, corrected: bool = False
) -> Observation:
    high = low if high is None else high
    return Observation("KNYC", float(low), low, high, Stamp(at_ms, 0, 0), groups, corrected)


def fold(*readings: Observation, station: Station = NYC) -> RunningDay:
    held: RunningDay | None = None
    for one in readings:
        held = observe(held, one, station)
    assert held is not None
    return held


def bounds(held: RunningDay) -> tuple[int | None, int | None]:
    return held.high.f if held.high else None, held.low.f if held.low else None


def test_highest_and_lowest_reading_of_the_day_count_in_any_order() -> None:
    seen = [reading(START_MS + 7 * HOUR_MS, 44), reading(START_MS + 9 * HOUR_MS, 41), reading(START_MS, 46)]
    for order in itertools.permutations(seen):
        held = fold(*order)
        assert (held.day, bounds(held)) == (DAY, (46, 41))
        assert held.latest == seen[1]


def test_a_new_day_starts_afresh_and_the_old_one_stays_over() -> None:
    held = fold(reading(END_MS - 1, 60), reading(END_MS, 40), reading(END_MS - 2, 70))
    assert (held.day, bounds(held)) == ("2026-11-23", (40, 40))


def test_a_whole_celsius_bounds_the_high_by_its_lower_and_the_low_by_its_upper_member() -> None:
    held = fold(reading(START_MS + HOUR_MS, 78, 79))
    assert held.high == Bound(78, Evidence.WHOLE_CELSIUS, START_MS + HOUR_MS)
    assert held.low == Bound(79, Evidence.WHOLE_CELSIUS, START_MS + HOUR_MS)


@pytest.mark.parametrize(
    ("station", "closes_utc", "counts"),
    [
        (NYC, 6, False),  # 19 to 01 standard time: straddles midnight
        (NYC, 12, True),
        (NYC, 18, True),
        (NYC, 24, True),
        (CHI, 12, False),  # 23:53 to 05:53: from report to report
        (CHI, 18, True),
        (CHI, 30, True),  # 18 to 24: the last one of the day, reported before midnight
        (LAX, 12, False),  # 22 to 04
        (LAX, 18, True),
        (LAX, 30, True),
    ],
)
def test_a_six_hour_group_counts_only_where_its_window_lies_in_the_day(
    station: Station, closes_utc: int, *, counts: bool
) -> None:
    midnight_utc_ms = climate_day_bounds(station, DAY)[0] + station.lst_offset_h * HOUR_MS
    at_ms = midnight_utc_ms + closes_utc * HOUR_MS - 7 * MINUTE_MS
    held = fold(reading(at_ms, 40, groups=Groups(55, 33)), station=station)
    assert held.day == DAY
    assert bounds(held) == ((55, 33) if counts else (40, 40))
    assert bool(held.unsure) is not counts
    if counts:
        assert held.high is not None and held.high.by is Evidence.SIX_HOURS


def test_a_group_of_an_hour_that_closes_no_window_is_named_and_not_counted() -> None:
    held = fold(reading(START_MS + 9 * HOUR_MS + 51 * MINUTE_MS, 40, groups=Groups(55, 33)))
    assert bounds(held) == (40, 40)
    assert held.unsure == ("6-hour group 55F to 33F at an hour that closes no window: not counted",)


def test_the_group_of_24_hours_bounds_and_is_likely_the_days_value_only_before_its_midnight() -> None:
    held = fold(reading(END_MS - 9 * MINUTE_MS, 40, groups=Groups(day_max_f=57, day_min_f=31)))
    assert bounds(held) == (57, 31)
    assert (held.likely_high_f, held.likely_low_f) == (57, 31)
    early = fold(reading(END_MS - 69 * MINUTE_MS, 40, groups=Groups(day_max_f=57, day_min_f=31)))
    assert (bounds(early), early.likely_high_f) == ((40, 40), None)
    assert "24-hour group" in early.unsure[0]


def test_a_corrected_report_takes_its_earlier_selfs_place_whichever_comes_last() -> None:
    at_ms = START_MS + 6 * HOUR_MS + 51 * MINUTE_MS
    wrong, right = reading(at_ms, 70, groups=Groups(72, 20)), reading(at_ms, 40, corrected=True)
    other = reading(at_ms - HOUR_MS, 41)
    for order in itertools.permutations([wrong, right, other]):
        assert bounds(fold(*order)) == (41, 40)


def test_a_reading_taken_back_bounds_nothing_whoever_tells_it_and_whenever() -> None:
    at_ms = START_MS + 6 * HOUR_MS + 51 * MINUTE_MS
    right, wrong = reading(at_ms - HOUR_MS, 41), reading(at_ms, 99, groups=Groups(99, 20))
    held = take_back(fold(right, wrong), at_ms, NYC)
    assert held is not None and (bounds(held), held.latest) == ((41, 41), right)
    assert held.unsure == ("reading of 06:51 standard time failed quality control: taken back",)
    assert take_back(held, at_ms, NYC) == held
    assert observe(held, wrong, NYC) == held, "another source tells the same report"
    passed = observe(held, msgspec.structs.replace(wrong, corrected=True), NYC)
    assert bounds(passed) == (99, 20) and not passed.taken_back
    early = take_back(None, at_ms, NYC)
    assert early is not None and bounds(observe(observe(early, wrong, NYC), right, NYC)) == (41, 41)


def test_what_is_taken_back_of_another_day_moves_nothing() -> None:
    held = fold(reading(START_MS + HOUR_MS, 50))
    assert take_back(held, START_MS - HOUR_MS, NYC) == held
    told = report(
        held, ClimateReport("KNYC", DAY, False, False, 67, 44, Stamp(START_MS + HOUR_MS, 0, 0)), NYC
    )
    assert told is not None
    after = take_back(told, START_MS + HOUR_MS, NYC)
    assert after is not None and (bounds(after), after.latest) == ((67, 44), None), (
        "the report said so itself"
    )


def test_the_same_report_from_two_sources_is_one_claim() -> None:
    one = reading(START_MS + HOUR_MS, 41)
    held = fold(one, one, one)
    assert len(held.claims) == 1


def test_reports_of_a_part_of_the_day_are_bounds_and_of_all_of_it_likely() -> None:
    held: RunningDay | None = fold(reading(START_MS + HOUR_MS, 50))
    issued = Stamp(START_MS + 17 * HOUR_MS, 0, 0)
    held = report(held, ClimateReport("KNYC", DAY, False, False, 67, 44, issued), NYC)
    assert held is not None and (bounds(held), held.likely_high_f) == ((67, 44), None)
    late = Stamp(END_MS, 0, 0)
    held = report(held, DailySummary("KNYC", DAY, True, False, 69, 43, late), NYC)
    assert held is not None and (bounds(held), held.likely_high_f, held.likely_low_f) == ((69, 43), 69, 43)
    held = report(held, DailySummary("KNYC", DAY, True, True, 68, 43, late), NYC)
    assert held is not None and held.likely_high_f == 68


def test_a_report_of_another_day_moves_nothing() -> None:
    held = fold(reading(START_MS + HOUR_MS, 50))
    yesterday = ClimateReport("KNYC", "2026-11-21", True, False, 90, 10, Stamp(START_MS + HOUR_MS, 0, 0))
    tomorrow = ClimateReport("KNYC", "2026-11-23", False, False, 90, 10, Stamp(START_MS + HOUR_MS, 0, 0))
    assert report(held, yesterday, NYC) == held == report(held, tomorrow, NYC)
    assert report(None, tomorrow, NYC) is None


def test_a_report_before_the_first_reading_is_not_lost() -> None:
    told = ClimateReport("KNYC", DAY, False, False, 67, 44, Stamp(START_MS + 17 * HOUR_MS, 0, 0))
    held = report(None, told, NYC)
    assert held is not None and held.latest is None
    assert bounds(observe(held, reading(START_MS + 18 * HOUR_MS, 60), NYC)) == (67, 44)


@given(
    st.lists(
        st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(-20, 100), st.integers(0, 1)),
        min_size=1,
        max_size=30,
    )
)
def test_bounds_only_tighten_and_hold_every_reading(rows: list[tuple[int, int, int, int]]) -> None:
    held: RunningDay | None = None
    for hour, minute, low, wide in rows:
        one = reading(START_MS + hour * HOUR_MS + minute * MINUTE_MS, low, low + wide)
        after = observe(held, one, NYC)
        assert after.high is not None and after.low is not None
        if held is not None and held.high is not None and held.low is not None:
            assert after.high.f >= held.high.f and after.low.f <= held.low.f
        assert after.high.f >= low and after.low.f <= low + wide
        held = after
