"""Variance time of a currency pair: the hour of the week on New York's clock, and releases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.releases import Certainty, Due
from core.models.ranges.clocks import SPAN_MAX_MS, WEEK_H, Clock, clocks, variance_days, week_hour

FX = clocks()["FX"]
HOUR_MS = 3_600_000


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def due(kind: str, text: str, source: str = "bls", *, out: bool = False) -> Due:
    return Due(kind, at_ms(text), Certainty.STATED, source, out)


@pytest.mark.parametrize("begins", ["2026-01-05", "2026-03-02", "2026-07-06", "2026-11-23"])
def test_a_week_is_five_days(begins: str) -> None:
    """Wherever it begins; where clocks change in it, less or more one quiet hour."""
    from_ms = at_ms(begins)
    assert variance_days(FX, from_ms, from_ms + WEEK_H * HOUR_MS) == pytest.approx(5.0, abs=0.05)


def test_the_same_hour_in_new_york_in_both_halves_of_the_year() -> None:
    """The hour of the releases, 08:00 to 09:00 there, is 13:00 UTC in winter and 12:00 in summer."""
    winter = variance_days(FX, at_ms("2026-01-15T13:00"), at_ms("2026-01-15T14:00"))
    summer = variance_days(FX, at_ms("2026-07-16T12:00"), at_ms("2026-07-16T13:00"))
    assert winter == summer == pytest.approx(0.1383)
    assert variance_days(FX, at_ms("2026-07-16T13:00"), at_ms("2026-07-16T14:00")) != winter


def test_the_clock_changes_on_the_night_of_its_law() -> None:
    assert week_hour(at_ms("2026-03-06T22:00")) == 4 * 24 + 17
    assert week_hour(at_ms("2026-03-09T00:00")) == 6 * 24 + 20


def test_nothing_moves_over_a_weekend() -> None:
    closed = variance_days(FX, at_ms("2026-01-16T22:00"), at_ms("2026-01-18T22:00"))
    assert closed == 0.0
    assert variance_days(FX, at_ms("2026-01-18T22:00"), at_ms("2026-01-18T23:00")) == pytest.approx(0.1388)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    st.integers(0, 6 * 86_400),
    st.integers(0, 6 * 86_400),
)
def test_stretches_add_up(begins: datetime, first_s: int, then_s: int) -> None:
    a = at_ms(begins.isoformat(timespec="seconds"))
    b, c = a + first_s * 1000, a + (first_s + then_s) * 1000
    whole = variance_days(FX, a, c)
    assert variance_days(FX, a, b) + variance_days(FX, b, c) == pytest.approx(whole, abs=1e-9)


def test_a_release_adds_its_jump_once_and_only_where_it_is_due() -> None:
    a, b = at_ms("2026-12-04T12:00"), at_ms("2026-12-04T15:00")
    calm = variance_days(FX, a, b)
    jobs, again = due("JOBS", "2026-12-04T13:30"), due("JOBS", "2026-12-04T13:30", "ics")
    assert variance_days(FX, a, b, [jobs, again]) == pytest.approx(calm + 0.2)
    assert variance_days(FX, a, b, [due("JOBS", "2026-12-04T15:00")]) == pytest.approx(calm + 0.2)
    for elsewhere in ("2026-12-04T12:00", "2026-12-04T15:01"):
        assert variance_days(FX, a, b, [due("JOBS", elsewhere)]) == calm
    assert variance_days(FX, a, b, [due("JOBS", "2026-12-04T13:30", out=True)]) == calm


def test_horizons_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="60 days ahead are too far"):
        variance_days(FX, 0, SPAN_MAX_MS + 1)


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="7 days of 24 hours"):
        Clock("X", ((1.0,) * 24,) * 6)
    with pytest.raises(ValueError, match="not parts of 5 days"):
        Clock("X", ((10.0,) * 24,) * 7)
