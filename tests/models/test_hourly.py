"""An hour's temperature by the city's index and an hourly forecast: the law, and what gives no price."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from core.domain.market import CENT_GRID, CityReading, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.engine.hourly_pricer import HourlyPricer
from core.feeds.feed import Stamp
from core.feeds.values import GridForecast, IndexStatus, ModelForecast, WeatherIndex
from core.models.fair_value import NoPrice
from core.models.families import HOURLY_TEMPERATURE, families
from core.models.hourly import HourlyInputs, absorb, predict
from core.models.prediction import Laws, Prediction
from core.models.valuing import chances_of
from core.venues.kalshi import hourly as table

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
AT_MS = 1_796_000_400_000 // HOUR_MS * HOUR_MS
NOW_MS = AT_MS - HOUR_MS
DEGRADED, INCOMPLETE = IndexStatus.DEGRADED, IndexStatus.INCOMPLETE


def above(f: float, **more: Any) -> Market:
    made = Market(
        venue=Venue.KALSHI,
        ticker=f"KXTEMPMIAH-1-T{f}",
        event_ticker="KXTEMPMIAH-1",
        series_ticker="KXTEMPMIAH",
        label=f"MIA 15h Nov23 >{f}",
        title="",
        strike=Strike(StrikeKind.GREATER, floor=f),
        grid=CENT_GRID,
        fees=FeeSchedule(FeeType.QUADRATIC),
        open_ms=NOW_MS - HOUR_MS,
        close_ms=AT_MS,
        reading=CityReading("miami", AT_MS, 0.01),
    )
    return msgspec.structs.replace(made, **more)


def minute(
    f: float | None, at_ms: int = NOW_MS, status: IndexStatus = IndexStatus.NORMAL, city: str = "miami"
) -> WeatherIndex:
    value = round(f * 100) if f is not None else None
    return WeatherIndex(city, value, status, False, 4, "w48", Stamp(at_ms, 0, 0))


def hours(first: float, step: float, at_ms: int = NOW_MS, count: int = 14) -> tuple[tuple[int, float], ...]:
    return tuple((at_ms + n * HOUR_MS, first + n * step) for n in range(count))


def forecast(
    hourly: tuple[tuple[int, float], ...], issued_ms: int = NOW_MS, icao: str = "KMIA"
) -> ModelForecast:
    return ModelForecast(icao, "gfs_seamless", hourly, {}, Stamp(issued_ms, 0, 0), 6 * 3600)


def grid(first: int, step: int) -> GridForecast:
    whole = tuple((NOW_MS + n * HOUR_MS, first + n * step) for n in range(14))
    return GridForecast("KMIA", {}, whole, Stamp(NOW_MS, 0, 0))


def held(*values: WeatherIndex | ModelForecast | GridForecast) -> HourlyInputs:
    found = HourlyInputs(families()["miami index"], "miami", "KMIA")
    for value in values or (minute(78.31), forecast(hours(70.0, 1.5))):
        found = absorb(found, value)
    return found


def said(inputs: HourlyInputs, now_ms: int = NOW_MS, *markets: Market) -> Prediction:
    found = predict(markets or [above(81.99)], inputs, now_ms)
    assert isinstance(found, Prediction), found
    return found


def refused(inputs: HourlyInputs, now_ms: int = NOW_MS, *markets: Market) -> str:
    found = predict(markets or [above(81.99)], inputs, now_ms)
    assert isinstance(found, NoPrice), found
    return found.reason


def test_the_index_moves_as_the_forecast_does_and_errs_by_the_hour() -> None:
    """78.31 F and 1.5 F in the hour, whatever the forecast's own level is; deviation sqrt(0.09 + 1)."""
    found = said(held())
    assert (found.mean, found.spread) == (pytest.approx(79.81), pytest.approx(1.0440307))
    scale = 1.0440307 / math.sqrt(5 / 3)
    (chance,), _ = chances_of([found.says])
    assert chance == pytest.approx(student.sf((81.995 - 79.81) / scale, 5), abs=1e-7)
    assert found.evidence == (
        "miami index 78.31F at 00:00 UTC, not yet official",
        "Open-Meteo of KMIA moves +1.5F in 60 min",
        "settles at 79.81F +- 1.04F (t, 5 degrees)",
    )
    assert [(age.name, age.event_ms) for age in found.inputs] == [
        ("miami index", NOW_MS), ("Open-Meteo", NOW_MS)
    ]  # fmt: skip
    assert (found.model, found.version, found.exclusive) == (
        "hourly-temperature",
        "hourly-temperature-1",
        False,
    )


@given(st.integers(0, 719), st.integers(1, 719))
def test_the_error_grows_with_the_root_of_time_from_a_floor(away: int, more: int) -> None:
    def spread(ahead: int) -> float:
        at_ms = AT_MS - ahead * MINUTE_MS
        values = (minute(50.0, at_ms), forecast(hours(50.0, 0.0, AT_MS - 13 * HOUR_MS, 15), at_ms))
        return said(held(*values), at_ms).spread

    near, far = min(719, away + 1), min(719, away + 1 + more)
    assert 0.3 < spread(near) <= spread(far)
    assert spread(far) ** 2 - spread(near) ** 2 == pytest.approx((far - near) / 60)


def test_thresholds_of_one_hour_are_one_law_below_zero_too() -> None:
    inputs = held(minute(-3.0), forecast(hours(0.0, 0.0)))
    found = said(inputs, NOW_MS, above(-3.01), above(-3.0), above(2.0))
    chances, _ = chances_of([found.says])
    by_ticker = dict(zip(found.tickers, chances, strict=True))
    assert by_ticker["KXTEMPMIAH-1-T-3.01"] > 0.5 > by_ticker["KXTEMPMIAH-1-T-3.0"]
    assert by_ticker["KXTEMPMIAH-1-T-3.01"] - 0.5 == pytest.approx(0.5 - by_ticker["KXTEMPMIAH-1-T-3.0"])
    assert isinstance(found.says, Laws) and found.says.parts[0].scale_error == 0.3


def test_the_forecasters_grid_stands_in_where_the_model_is_old_or_ends() -> None:
    old = forecast(hours(70.0, 1.5), NOW_MS - 7 * HOUR_MS)
    short = forecast(hours(70.0, 1.5, NOW_MS - 3 * HOUR_MS, 3))
    for model in (old, short):
        assert said(held(minute(78.31), model, grid(60, 2))).evidence[1].startswith("NWS of KMIA moves +2.0F")
    assert refused(held(minute(78.31), old)) == "Open-Meteo is 420 min old, limit 360 min"
    assert refused(held(minute(78.31), short)) == "Open-Meteo's hours of KMIA do not reach its minute"
    assert refused(held(minute(78.31))) == "no hourly forecast of KMIA yet"


def test_a_minute_without_all_of_its_stations_is_passed_over_and_a_few_of_them_end_the_price() -> None:
    hourly, later = forecast(hours(70.0, 1.5)), NOW_MS + 3 * MINUTE_MS
    good = minute(78.31)
    assert said(held(good, hourly, minute(90.0, later, DEGRADED)), later).mean == pytest.approx(79.81)
    later += MINUTE_MS
    for status, words in ((DEGRADED, "degraded for 4 min"), (INCOMPLETE, "incomplete for 4 min")):
        inputs = held(good, hourly, minute(None, later, status))
        assert refused(inputs, later) == f"the miami index is {words}, 4 stations in its newest minute"
    again = held(good, hourly, minute(78.5, NOW_MS, DEGRADED))
    assert refused(again).startswith("the miami index is degraded, 4 stations")
    assert said(absorb(again, minute(78.6, NOW_MS + MINUTE_MS)), NOW_MS + MINUTE_MS).mean > 79.8


@pytest.mark.parametrize(
    ("now_ms", "words"),
    [
        (NOW_MS + 600_001, "miami index is 11 min old, limit 10 min"),
        (AT_MS, "the minute of the miami index is past"),
        (AT_MS - 12 * HOUR_MS - 1, "its minute is 13 h away, its model reaches 12 h"),
    ],
)
def test_an_old_index_a_minute_that_is_past_and_one_far_away_have_no_price(now_ms: int, words: str) -> None:
    assert refused(held(), now_ms).startswith(words)


@pytest.mark.parametrize(
    ("market", "words"),
    [
        (
            above(82.99, reading=CityReading("miami", AT_MS + HOUR_MS, 0.01)),
            "another minute than its event's",
        ),
        (above(82.99, doubt="rules differ"), "rules differ"),
        (above(82.99, strike=Strike(StrikeKind.OTHER)), "its strike is other"),
    ],
)
def test_markets_that_do_not_fit_together_have_no_price(market: Market, words: str) -> None:
    assert words in refused(held(), NOW_MS, above(81.99), market)
    assert refused(held(forecast(hours(70.0, 1.5)))) == "no minute of the miami index yet"


def test_values_of_other_cities_stations_and_times_change_nothing() -> None:
    inputs = held()
    for value in (
        minute(90.0, city="nyc"),
        minute(90.0, NOW_MS - MINUTE_MS),
        forecast(hours(70.0, 9.0), icao="KNYC"),
        forecast(hours(70.0, 9.0), NOW_MS - 1),
        msgspec.structs.replace(forecast(hours(70.0, 9.0)), model="icon_seamless"),
    ):
        assert absorb(inputs, value) is inputs


def test_each_city_with_a_station_has_a_row_and_is_moved_by_its_own_values() -> None:
    pricer = HourlyPricer()
    named = {f"{row.city} index" for row in table._table().city}
    rows = {name for name, row in families().items() if row.model == HOURLY_TEMPERATURE}
    assert named - rows == {"southeast-michigan index", "kansas-city index"} and rows < named
    assert {name for name in named if pricer.absorb(minute(50.0, city=name.removesuffix(" index")))} == rows
    assert pricer.absorb(forecast(hours(70.0, 1.5))) == "miami index"
    assert pricer.absorb(forecast(hours(70.0, 1.5), icao="KDEN")) is None
    assert pricer.subject(above(81.99)) == "miami index"
    assert pricer.subject(above(81.99, reading=CityReading("kansas-city", AT_MS, 0.01))) is None
    assert pricer.subject(above(81.99, reading=None)) is None
    assert isinstance(pricer.predict([above(81.99)], "miami index", NOW_MS, None), Prediction)
