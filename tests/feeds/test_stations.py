"""Climate days and the station table."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.stations import (
    DAY_MS,
    HOUR_MS,
    climate_day,
    climate_day_bounds,
    climate_day_start,
    round_half_up,
    shift_day,
    station_of_series,
    stations,
    whole_f,
)
from core.venues.kalshi.series import temperature_city

NYC = stations()["KNYC"]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-07-01T04:59:59", "2026-06-30"),  # 00:59 by the clock in summer: still the day before
        ("2026-07-01T05:00:00", "2026-07-01"),
        ("2026-01-15T04:59:59", "2026-01-14"),
        ("2026-01-15T05:00:00", "2026-01-15"),
        ("2026-03-08T07:30:00", "2026-03-08"),  # the night clocks change
    ],
)
def test_climate_day_is_standard_time_all_year(at: str, day: str) -> None:
    assert climate_day(NYC, ms(at)) == day


def test_bounds_do_not_move_with_daylight_time() -> None:
    for day in ("2026-01-15", "2026-07-15"):
        start, end = climate_day_bounds(NYC, day)
        assert start == ms(f"{day}T05:00:00")
        assert end - start == DAY_MS


@given(st.sampled_from(sorted(stations())), st.integers(0, 4_000_000_000_000))
def test_every_moment_lies_inside_its_climate_day(icao: str, at_ms: int) -> None:
    station = stations()[icao]
    start, end = climate_day_bounds(station, climate_day(station, at_ms))
    assert start <= at_ms < end
    assert climate_day_start(station, at_ms) == start


def test_table_names_stations_by_series() -> None:
    assert station_of_series("KXLOWTNYC") is NYC
    assert station_of_series("KXOTHER") is None
    chicago = station_of_series("KXHIGHCHI")
    assert chicago is not None
    assert chicago.icao == "KMDW"  # Midway, not O'Hare
    assert station_of_series("") is None
    for station in stations().values():
        assert -8 <= station.lst_offset_h <= -5
        assert 24 < station.lat < 50
        assert -125 < station.lon < -66


def test_rounding_is_half_up_also_below_zero() -> None:
    assert [round_half_up(x) for x in (0.5, 1.5, -0.5, -1.5, 2.4)] == [1, 2, 0, -1, 2]
    assert all(whole_f((f - 32) * 5 / 9) == f for f in range(-60, 141))


def test_days_shift_over_month_ends() -> None:
    assert shift_day("2026-03-01", -1) == "2026-02-28"
    assert shift_day("2025-01-21", 670) == "2026-11-22"
    assert HOUR_MS * 24 == DAY_MS


def test_elevations_and_report_times_are_plausible() -> None:
    for station in stations().values():
        assert -5 <= station.elevation_m <= 2_000
        if station.cli_usual_utc:
            # Every report comes in the first hours after the climate day ends.
            hour, _, minute = station.cli_usual_utc.partition(":")
            after_midnight = (int(hour) + int(minute) / 60 + station.lst_offset_h) % 24
            assert 0 < after_midnight < 5
    assert stations()["KDEN"].elevation_m == 1650


def test_the_venue_names_the_same_station_for_each_series() -> None:
    """The venue's package stands below the feeds and keeps its own table of names."""
    for station in stations().values():
        for series in filter(None, (station.high_series, station.low_series)):
            city = temperature_city(series)
            assert city is not None, series
            assert (city.icao, city.cli) == (station.icao, station.cli)
