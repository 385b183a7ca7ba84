"""When things trade, and New York's clock without a table of zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.feeds.feed import FeedState, within_hours
from core.feeds.hours import FX_WEEK, US_SESSION, Hours, new_york_offset_ms

INSTANTS = st.integers(1_199_145_600_000, 2_500_000_000_000)  # 2008 to 2049
EITHER = st.sampled_from([FX_WEEK, US_SESSION])
SPAN_MS = 60 * 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@settings(max_examples=100, deadline=None)
@given(INSTANTS)
def test_new_yorks_clock_is_that_of_the_zone_table(at_ms: int) -> None:
    try:
        zone = ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no table of zones to compare with")
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset()
    assert offset is not None
    assert new_york_offset_ms(at_ms) == offset.total_seconds() * 1000


@pytest.mark.parametrize(
    ("last_closed", "first_open"),
    [
        ("2026-11-22T21:59:59.999", "2026-11-22T22:00:00"),  # winter
        ("2026-07-12T20:59:59.999", "2026-07-12T21:00:00"),  # summer
        ("2026-03-08T20:59:59.999", "2026-03-08T21:00:00"),  # the Sunday on which summer time begins
        ("2026-11-01T21:59:59.999", "2026-11-01T22:00:00"),  # and the one on which it ends
    ],
)
def test_the_week_begins_on_sunday_at_five_in_new_york(last_closed: str, first_open: str) -> None:
    assert not FX_WEEK.is_open(ms(last_closed))
    assert FX_WEEK.is_open(ms(first_open))
    assert FX_WEEK.next_turn_ms(ms(last_closed)) == ms(first_open)


@pytest.mark.parametrize("closes", ["2026-11-20T22:00:00", "2026-07-10T21:00:00", "2026-10-30T21:00:00"])
def test_it_ends_on_friday_at_five_in_new_york(closes: str) -> None:
    assert FX_WEEK.is_open(ms(closes) - 1)
    assert not FX_WEEK.is_open(ms(closes))
    assert FX_WEEK.next_turn_ms(ms(closes) - 1) == ms(closes)


@pytest.mark.parametrize(
    ("instant", "is_open", "turns"),
    [
        ("2026-11-24T14:29:59.999", False, "2026-11-24T14:30:00"),
        ("2026-11-24T14:30:00", True, "2026-11-24T21:00:00"),
        ("2026-07-10T20:00:00", False, "2026-07-13T13:30:00"),  # over a weekend in summer
        ("2026-03-06T21:00:00", False, "2026-03-09T13:30:00"),  # over one in which it begins
    ],
)
def test_new_yorks_exchanges_are_open_on_weekdays(instant: str, is_open: bool, turns: str) -> None:
    assert US_SESSION.is_open(ms(instant)) is is_open
    assert US_SESSION.next_turn_ms(ms(instant)) == ms(turns)


@settings(max_examples=100, deadline=None)
@given(EITHER, INSTANTS)
def test_it_is_the_same_until_the_next_turn_and_the_other_at_it(hours: Hours, at_ms: int) -> None:
    turn_ms = hours.next_turn_ms(at_ms)
    assert at_ms < turn_ms <= at_ms + 7 * 86_400_000
    assert hours.is_open(turn_ms - 1) is hours.is_open(at_ms)
    assert hours.is_open(turn_ms) is not hours.is_open(at_ms)


@settings(max_examples=100, deadline=None)
@given(EITHER, INSTANTS, st.integers(0, SPAN_MS), st.integers(0, SPAN_MS))
def test_closed_time_adds_up(hours: Hours, start_ms: int, first_ms: int, second_ms: int) -> None:
    middle_ms, end_ms = start_ms + first_ms, start_ms + first_ms + second_ms
    whole = hours.closed_ms(start_ms, end_ms)
    assert whole == hours.closed_ms(start_ms, middle_ms) + hours.closed_ms(middle_ms, end_ms)
    assert 0 <= whole <= end_ms - start_ms


def test_years_are_no_weekend_and_cost_nothing() -> None:
    friday, monday = ms("2026-11-20T22:00:00"), ms("2026-11-23T12:00:00")
    assert FX_WEEK.rest_ms(friday, monday) == FX_WEEK.closed_ms(friday, monday) == 48 * 3_600_000
    assert US_SESSION.rest_ms(ms("2001-01-01T00:00:00"), monday) == 0


def test_a_weekend_is_two_days() -> None:
    assert FX_WEEK.closed_ms(ms("2026-11-20T12:00:00"), ms("2026-11-23T12:00:00")) == 48 * 3_600_000


@pytest.mark.parametrize(
    ("ages_s", "state", "aged_s"),
    [
        ((10, 20), FeedState.OK, 20),
        ((10, 90_000), FeedState.OK, 10),
        ((80_000, 90_000), FeedState.CLOSED, 90_000),
    ],
)
def test_a_source_is_closed_only_where_nothing_of_it_trades(
    ages_s: tuple[int, ...], state: FeedState, aged_s: int
) -> None:
    now_ms = 1_795_330_000_000
    found, newest_ms = within_hours([now_ms - age * 1000 for age in ages_s], now_ms, 30)
    assert newest_ms is not None
    assert (found, (now_ms - newest_ms) // 1000) == (state, aged_s)
