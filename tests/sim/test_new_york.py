"""New York's clock against the time-zone database, and the weeks of markets."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sim.new_york import (
    ALWAYS,
    DAY_MS,
    FOREX,
    HOUR_MS,
    US_STOCKS,
    Hours,
    at,
    instant_ms,
    local_ms,
    offset_ms,
)

ZONE = ZoneInfo("America/New_York")
INSTANTS = st.integers(1_700_000_000_000, 2_200_000_000_000)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@given(INSTANTS)
def test_the_offset_is_the_databases(at_ms: int) -> None:
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZONE).utcoffset()
    assert offset is not None
    assert offset_ms(at_ms) == offset.total_seconds() * 1000


@given(INSTANTS)
def test_the_wall_clock_leads_back_to_the_instant(at_ms: int) -> None:
    assert instant_ms(local_ms(at_ms)) in (at_ms, at_ms + HOUR_MS), "but for the hour shown twice"


def test_a_days_hour_moves_with_daylight_time() -> None:
    assert at(date(2026, 7, 1), 8, 30) == ms("2026-07-01T12:30:00+00:00")
    assert at(date(2026, 12, 1), 8, 30) == ms("2026-12-01T13:30:00+00:00")


@pytest.mark.parametrize(
    ("when", "forex", "stocks"),
    [
        ("2026-11-27T21:59:59+00:00", True, False),  # Friday
        ("2026-11-27T22:00:00+00:00", False, False),
        ("2026-11-29T21:59:59+00:00", False, False),  # Sunday
        ("2026-11-29T22:00:00+00:00", True, False),
        ("2026-11-30T14:29:59+00:00", True, False),
        ("2026-11-30T14:30:00+00:00", True, True),
        ("2026-11-30T21:00:00+00:00", True, False),
        ("2026-07-01T13:30:00+00:00", True, True),
    ],
)
def test_markets_open_and_close_on_new_yorks_clock(when: str, forex: bool, stocks: bool) -> None:
    assert (FOREX.is_open(ms(when)), US_STOCKS.is_open(ms(when))) == (forex, stocks)
    assert ALWAYS.is_open(ms(when))


@pytest.mark.parametrize("hours", [FOREX, US_STOCKS])
@given(at_ms=INSTANTS, later=st.integers(0, 10 * DAY_MS))
def test_trading_time_goes_on_while_open_and_stands_while_closed(
    hours: Hours, at_ms: int, later: int
) -> None:
    last = hours.last_ms(at_ms)
    assert last <= at_ms
    assert hours.traded_ms(last) == hours.traded_ms(at_ms)
    assert last == at_ms or not hours.is_open(at_ms)
    most = max(session.pace for session in hours.sessions)
    grown = hours.traded_ms(at_ms + later) - hours.traded_ms(at_ms)
    assert -1e-3 <= grown <= most * later + 1e-3


def test_a_nights_news_is_in_the_first_minute_and_mornings_are_lively() -> None:
    day = [US_STOCKS.traded_ms(ms(f"2026-11-30T{at}:00+00:00")) for at in ("14:30", "14:31", "21:00")]
    assert (day[1] - day[0]) / (day[2] - day[0]) == pytest.approx(0.3, abs=0.01)
    hours = [FOREX.traded_ms(ms(f"2026-12-01T{at}:00:00+00:00")) for at in ("01", "02", "13", "14")]
    assert hours[3] - hours[2] > 4 * (hours[1] - hours[0])


def test_the_last_trade_before_the_clocks_change_is_fridays_close() -> None:
    assert FOREX.last_ms(ms("2026-11-01T12:00:00+00:00")) == ms("2026-10-30T21:00:00+00:00")
