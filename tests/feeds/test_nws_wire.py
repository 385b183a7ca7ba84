"""Grid layers, periods and observations from api.weather.gov shapes."""

from pathlib import Path
from time import process_time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import nws_wire as wire
from core.feeds.stations import HOUR_MS, stations

NYC = stations()["KNYC"]
START = "2026-11-22T12:00:00+00:00"
START_MS = wire.time_ms(START) or 0


def layer(*values: tuple[str, float | None]) -> wire.Layer:
    return wire.Layer("wmoUnit:degC", tuple(wire.LayerValue(when, value) for when, value in values))


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PT1H", 1), ("PT13H", 13), ("P1D", 24), ("P1DT6H", 30), ("PT36H", 36), ("PT30M", 1), ("P900D", 400)],
)
def test_interval_hours(text: str, hours: int) -> None:
    assert wire.interval(f"{START}/{text}") == (START_MS, hours)


@pytest.mark.parametrize(
    "text", ["", "/", f"{START}/", f"{START}/P", "2026-11-22T12:00:00/PT1H", f"{START}/-PT1H"]
)
def test_intervals_that_are_none(text: str) -> None:
    assert wire.interval(text) is None


@given(st.text(max_size=60))
def test_interval_never_raises(text: str) -> None:
    wire.interval(text)
    wire.interval(f"{START}/{text}")


def test_merged_hours_expand_and_whole_degrees_come_back() -> None:
    hours = wire.hourly(
        layer(
            (f"{START}/PT3H", 8.888888888888889),
            ("2026-11-22T15:00:00+00:00/PT1H", None),
            ("2026-11-22T16:00:00+00:00/PT1H", 900.0),
        )
    )
    assert hours == tuple((START_MS + i * HOUR_MS, 48) for i in range(3))


@given(st.integers(-60, 140))
def test_every_whole_fahrenheit_survives_celsius(f: int) -> None:
    assert wire.hourly(layer((f"{START}/PT1H", (f - 32) * 5 / 9))) == ((START_MS, f),)


def test_daily_maximum_belongs_to_the_climate_day_it_begins_in() -> None:
    days = wire.daily(layer((f"{START}/PT13H", 8.888), ("2026-11-24T04:00:00+00:00/PT13H", 10.0)), NYC)
    assert days == {"2026-11-22": 48, "2026-11-23": 50}


def observation(value: float | str | None, raw: str = "", quality: str | None = "qc:V") -> wire.Observations:
    quantity = wire.Quantity(value, "wmoUnit:degC", quality)
    return wire.Observations((wire.ObservationFeature(wire.ObservationProperties(START, raw, quantity)),))


# Whole Celsius to the Fahrenheit values it can stand for: the lower one is certain.
@pytest.mark.parametrize(
    ("celsius", "lowest"),
    [
        (18, 64),
        (19, 66),
        (20, 68),
        (21, 69),
        (22, 71),
        (23, 73),
        (24, 75),
        (25, 77),
        (26, 78),
        (27, 80),
        (28, 82),
        (30, 86),
    ],
)
def test_whole_celsius_proves_only_the_lower_degree(celsius: int, lowest: int) -> None:
    (reading,) = wire.readings(observation(celsius))
    assert reading.band.lowest_f == lowest


@given(st.integers(-60, 140))
def test_tenths_prove_the_whole_degree(f: int) -> None:
    tenths = round((f - 32) * 50 / 9)
    group = f"T{'1' if tenths < 0 else '0'}{abs(tenths):03d}0000"
    (reading,) = wire.readings(observation(round(tenths / 10), f"KNYC 221251Z AUTO RMK AO2 {group}"))
    assert reading.band.lowest_f == f


@pytest.mark.parametrize(
    ("quality", "taken"),
    [
        ("qc:V", 1),
        ("qc:Z", 1),
        ("C", 1),
        ("S", 1),
        ("qc:G", 1),
        (None, 1),
        ("qc:X", 0),
        ("qc:Q", 0),
        ("B", 0),
        ("T", 0),
    ],
)
def test_quality_letters(quality: str | None, taken: int) -> None:
    assert len(wire.readings(observation(10.6, quality=quality))) == taken


def test_missing_value_is_no_reading_and_text_number_is_one() -> None:
    assert wire.readings(observation(None)) == ()
    assert wire.readings(observation("nan")) == ()
    assert wire.readings(observation("ten")) == ()
    assert len(wire.readings(observation("10"))) == 1


def test_six_hour_maximum_group() -> None:
    (reading,) = wire.readings(observation(10, "KNYC 221751Z RMK AO2 SLP176 T01000050 10117 20044"))
    assert reading.groups.six_hour_max_f == 53
    (cold,) = wire.readings(observation(-10, "KNYC 221751Z RMK AO2 11067 T11001150"))
    assert cold.groups.six_hour_max_f == 20
    (none,) = wire.readings(observation(10, "KNYC 10117 221751Z"))
    assert none.groups.six_hour_max_f is None


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("stations_observations.json", 1),
        ("stations_observations_strings.json", 1),
        ("stations_observations_other_unitcode.json", 1),
        ("stations_observations_empty.json", 0),
        ("stations_observations_noprop.json", 0),
        ("stations_observations_missing_value.json", 0),
    ],
)
def test_recorded_observations(shared: Path, name: str, count: int) -> None:
    text = (shared / "data/feeds/nws" / name).read_bytes()
    assert len(wire.readings(msgspec.json.decode(text, type=wire.Observations, strict=False))) == count


@pytest.mark.parametrize("name", ["gridpoints_forecast_hourly_us.json", "gridpoints_forecast_hourly_si.json"])
def test_recorded_hourly_periods(shared: Path, name: str) -> None:
    text = (shared / "data/feeds/nws" / name).read_bytes()
    hours = wire.period_hours(msgspec.json.decode(text, type=wire.Hourly, strict=False))
    assert hours
    assert hours == tuple(sorted(hours))


def test_hourly_temperature_may_be_a_quantity() -> None:
    period = wire.Period(START, wire.Quantity(10.0, "wmoUnit:degC"))
    assert wire.period_hours(wire.Hourly(wire.HourlyProperties((period,)))) == ((START_MS, 50),)


def test_recorded_point(shared: Path) -> None:
    text = (shared / "data/feeds/nws/points.json").read_bytes()
    assert msgspec.json.decode(text, type=wire.Point, strict=False).properties.grid_id.isupper()


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+00:00", "1999-12-31T23:59+00:00", "9999-12-31T23:00Z"])
def test_hours_of_another_age_are_left_out(when: str) -> None:
    odd = layer((f"{when}/PT13H", 8.0), (f"{START}/PT1H", 10.0))
    assert wire.daily(odd, NYC) == {"2026-11-22": 50}
    assert wire.hourly(odd) == ((START_MS, 50),)


def test_a_layer_of_endless_intervals_is_cut_off() -> None:
    long = [(f"2026-11-22T{n // 60:02d}:{n % 60:02d}:00+00:00/P16D", 10.0) for n in range(1_000)]
    assert len(wire.hourly(layer(*long))) < 2 * wire.HOURS_MAX


def test_a_report_that_is_all_remarks_takes_no_time() -> None:
    feature = {
        "properties": {
            "timestamp": START,
            "rawMessage": " RMK" * 20_000,
            "temperature": {"unitCode": "wmoUnit:degC", "value": 8.9},
        }
    }
    began = process_time()
    (found,) = wire.readings(msgspec.convert({"features": [feature]}, wire.Observations))
    assert process_time() - began < 1.0
    assert found.groups.six_hour_max_f is None


@pytest.mark.parametrize("unit", ["", "wmoUnit:K", "wmoUnit:degX", "wmoUnit:percent"])
def test_a_value_in_no_known_unit_is_no_temperature(unit: str) -> None:
    assert wire.degrees(10.0, unit) is None
    assert wire.degrees(10.0, "wmoUnit:degC") == wire.degrees(50.0, "wmoUnit:degF") == 50.0
