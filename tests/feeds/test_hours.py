"""When foreign exchange trades, and New York's clock without a table of zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.hours import fx_closed_ms, fx_open, fx_turns_ms, new_york_offset_ms

INSTANTS = st.integers(1_199_145_600_000, 2_500_000_000_000)  # 2008 to 2049
YEAR_MS = 366 * 86_400_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


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
    assert not fx_open(ms(last_closed))
    assert fx_open(ms(first_open))
    assert fx_turns_ms(ms(last_closed)) == ms(first_open)


@pytest.mark.parametrize("closes", ["2026-11-20T22:00:00", "2026-07-10T21:00:00", "2026-10-30T21:00:00"])
def test_it_ends_on_friday_at_five_in_new_york(closes: str) -> None:
    assert fx_open(ms(closes) - 1)
    assert not fx_open(ms(closes))
    assert fx_turns_ms(ms(closes) - 1) == ms(closes)


@given(INSTANTS)
def test_it_is_the_same_until_the_next_turn_and_the_other_at_it(at_ms: int) -> None:
    turn_ms = fx_turns_ms(at_ms)
    assert at_ms < turn_ms <= at_ms + 7 * 86_400_000
    assert fx_open(turn_ms - 1) is fx_open(at_ms)
    assert fx_open(turn_ms) is not fx_open(at_ms)


@given(INSTANTS, st.integers(0, YEAR_MS), st.integers(0, YEAR_MS))
def test_closed_time_adds_up(start_ms: int, first_ms: int, second_ms: int) -> None:
    middle_ms, end_ms = start_ms + first_ms, start_ms + first_ms + second_ms
    whole = fx_closed_ms(start_ms, end_ms)
    assert whole == fx_closed_ms(start_ms, middle_ms) + fx_closed_ms(middle_ms, end_ms)
    assert 0 <= whole <= end_ms - start_ms


def test_a_weekend_is_two_days() -> None:
    assert fx_closed_ms(ms("2026-11-20T12:00:00"), ms("2026-11-23T12:00:00")) == 48 * 3_600_000
