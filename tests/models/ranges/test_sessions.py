"""New York's sessions: holidays, half days, both clocks, and the end of what is known."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.ranges.sessions import NIGHT, nyse, variance_days

NYSE = nyse()


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2026-11-23", "2026-11-23T14:30", "2026-11-23T21:00"),
        ("2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00"),  # the day after Thanksgiving
        ("2026-07-06", "2026-07-06T13:30", "2026-07-06T20:00"),  # summer time
        ("2026-03-09", "2026-03-09T13:30", "2026-03-09T20:00"),  # the Monday after clocks changed
        ("2026-11-02", "2026-11-02T14:30", "2026-11-02T21:00"),
    ],
)
def test_sessions_in_utc(day: str, opens: str, closes: str) -> None:
    session = NYSE.of(date.fromisoformat(day))
    assert session is not None
    assert (session.opens_ms, session.closes_ms) == (at_ms(opens), at_ms(closes))


@pytest.mark.parametrize(
    "day", ["2026-11-26", "2026-12-25", "2026-11-28", "2026-07-03", "2027-12-24", "2028-04-14", "2027-06-18"]
)
def test_days_without_one(day: str) -> None:
    assert NYSE.of(date.fromisoformat(day)) is None


def test_holidays_are_on_weekdays_and_a_year_has_its_number() -> None:
    assert all(day.weekday() < 5 for day in NYSE.closed | NYSE.early)
    assert [sum(day.year == year for day in NYSE.closed) for year in (2026, 2027, 2028)] == [10, 10, 9]


@pytest.mark.parametrize("day", ["2025-12-31", "2029-01-01"])
def test_what_nobody_has_looked_up_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match="sessions are known from 2026-01-01 to 2028-12-31"):
        NYSE.of(date.fromisoformat(day))
    with pytest.raises(ValueError, match="sessions are known"):
        variance_days(NYSE, at_ms(f"{day}T15:00"), at_ms(f"{day}T16:00"))


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        ("2026-11-23T21:00", "2026-11-24T21:00", 1.0),
        ("2026-11-20T21:00", "2026-11-23T21:00", 1.0),  # over a weekend
        ("2026-09-04T20:00", "2026-09-08T20:00", 1.0),  # and Labor Day
        ("2026-11-25T21:00", "2026-11-27T18:00", NIGHT + (1 - NIGHT) * 0.513),  # to a half day's close
        ("2026-11-20T21:00", "2026-11-25T21:00", 3.0),
    ],
)
def test_days_from_close_to_close(before: str, after: str, days: float) -> None:
    assert variance_days(NYSE, at_ms(before), at_ms(after)) == pytest.approx(days)


def test_a_night_carries_its_part_and_its_hours_alike() -> None:
    assert variance_days(NYSE, at_ms("2026-11-23T21:00"), at_ms("2026-11-24T14:30")) == pytest.approx(NIGHT)
    half = variance_days(NYSE, at_ms("2026-11-23T21:00"), at_ms("2026-11-24T05:45"))
    assert half == pytest.approx(NIGHT / 2)


def test_the_last_hour_carries_most() -> None:
    def hour(text: str) -> float:
        return variance_days(NYSE, at_ms(text), at_ms(text) + 3_600_000)

    assert hour("2026-11-23T20:00") > hour("2026-11-23T15:00") > hour("2026-11-23T17:00") > 0
    assert hour("2026-11-27T18:00") < hour("2026-11-27T17:00")  # after a half day's close it is night


@given(
    st.datetimes(datetime(2026, 1, 2), datetime(2028, 10, 1)),  # noqa: DTZ001
    st.integers(0, 10 * 86_400),
    st.integers(0, 10 * 86_400),
)
def test_stretches_add_up(begins: datetime, first_s: int, then_s: int) -> None:
    a = at_ms(begins.isoformat(timespec="seconds"))
    b, c = a + first_s * 1000, a + (first_s + then_s) * 1000
    whole = variance_days(NYSE, a, c)
    assert variance_days(NYSE, a, b) + variance_days(NYSE, b, c) == pytest.approx(whole, abs=1e-9)
