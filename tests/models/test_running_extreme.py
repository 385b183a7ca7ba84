"""What the rest of the day may still bring."""

import pytest

from core.feeds.stations import HOUR_MS
from core.models.weather.running_extreme import SIGMA_MIN_F, at_time, remaining
from core.models.weather.temperature import Temperature

START, END = 0, 24 * HOUR_MS
DAY_LAW = Temperature(mean=47.0, sigma=2.0, mean_se=0.23, sigma_se=0.16)
# Rises to 48 at 14:00; the day model says the forecast runs one degree warm.
HOURS = tuple((h * HOUR_MS, 48.0 - abs(h - 14)) for h in range(24))


def rest(hour: float, reading_f: float) -> Temperature:
    law = remaining(DAY_LAW, HOURS, 48.0, END, (int(hour * HOUR_MS), reading_f))
    assert law is not None
    return law


def test_early_in_the_day_it_is_the_day_model() -> None:
    law = rest(1.0, 34.0)  # exactly as forecast, bias removed
    assert law.mean == pytest.approx(47.0)
    assert law.sigma == pytest.approx(2.0, rel=0.01)


def test_an_error_seen_now_fades_with_the_hours_to_the_peak() -> None:
    # At 12:00 the corrected forecast is 45; three degrees warmer, two hours before the peak.
    law = rest(12.0, 48.0)
    assert law.mean == pytest.approx(47.0 + 3.0 * 2.718281828 ** (-2 / 3), abs=0.01)
    assert rest(6.0, 42.0).mean < law.mean


def test_sigma_falls_towards_the_peak_and_never_below_the_floor() -> None:
    sigmas = [rest(h, 47.0 - abs(h - 14)).sigma for h in (2.0, 8.0, 11.0, 13.0, 14.0)]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[-1] == SIGMA_MIN_F


def test_after_the_peak_the_rest_lies_below_it() -> None:
    evening = rest(20.0, 41.0)
    assert evening.mean == pytest.approx(41.0)
    assert evening.mean + 6 * evening.sigma < 47.5  # 1e-9 is left above


def test_an_old_reading_says_less() -> None:
    assert rest(12.0, 45.0).sigma > rest(13.0, 46.0).sigma


def test_an_hour_after_the_newest_reading_is_still_to_come() -> None:
    """An hourly report of 13:51 is the newest one until 14:51: of the peak between them nobody has told."""
    assert rest(13.85, 46.85).mean == pytest.approx(47.0)


def test_the_last_minutes_have_no_hour_left() -> None:
    law = remaining(DAY_LAW, HOURS, 48.0, END, (23 * HOUR_MS, 38.0))
    assert law is not None
    assert (law.mean, law.sigma) == (38.0, SIGMA_MIN_F)


@pytest.mark.parametrize("hours", [(), HOURS[:20], HOURS[14:]])
def test_a_forecast_that_does_not_cover_the_rest_is_refused(hours: tuple[tuple[int, float], ...]) -> None:
    now = 13 * HOUR_MS
    assert remaining(DAY_LAW, hours, 48.0, END, (now, 45.0)) is None


def test_between_hours_the_series_is_linear() -> None:
    assert at_time(HOURS, HOUR_MS // 2) == pytest.approx(34.5)
    assert at_time(HOURS, -1) is None
