"""What the rest of the day may still bring."""

import math

import msgspec
import numpy as np
import pytest

from core.domain.market import Extreme
from core.feeds.stations import HOUR_MS
from core.models.laws import Shape
from core.models.prediction import Laws
from core.models.rungs import Rung
from core.models.valuing import chances_of
from core.models.weather.brackets import Reached, part
from core.models.weather.running_extreme import SIGMA_MIN_F, at_time, remaining
from core.models.weather.temperature import Lower, Temperature, lower_of

START, END = 0, 24 * HOUR_MS
DAY_LAW = Temperature(mean=47.0, sigma=2.0, mean_se=0.23, sigma_se=0.16)
# Rises to 48 at 14:00; the day model says the forecast runs one degree warm.
HOURS = tuple((h * HOUR_MS, 48.0 - abs(h - 14)) for h in range(24))


def rest(hour: float, reading_f: float) -> Temperature:
    law = remaining(DAY_LAW, HOURS, END, (int(hour * HOUR_MS), reading_f))
    assert isinstance(law, Temperature)
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
    law = remaining(DAY_LAW, HOURS, END, (23 * HOUR_MS, 38.0))
    assert isinstance(law, Temperature)
    assert (law.mean, law.sigma) == (38.0, SIGMA_MIN_F)


@pytest.mark.parametrize("hours", [(), HOURS[:20], HOURS[14:]])
def test_a_forecast_that_does_not_cover_the_rest_is_refused(hours: tuple[tuple[int, float], ...]) -> None:
    now = 13 * HOUR_MS
    assert remaining(DAY_LAW, hours, END, (now, 45.0)) is None


def test_between_hours_the_series_is_linear() -> None:
    assert at_time(HOURS, HOUR_MS // 2) == pytest.approx(34.5)
    assert at_time(HOURS, -1) is None


# --- lows -----------------------------------------------------------------------------------------

LOW_LAW = Temperature(mean=40.0, sigma=2.5, mean_se=0.3, sigma_se=0.2)


def night(dawn_f: float, midnight_f: float) -> tuple[tuple[int, float], ...]:
    """Falls to ``dawn_f`` at 6:00, rises to 55 at 14:00, falls to ``midnight_f`` at 23:00."""
    at, f = [0, 6, 14, 23], [dawn_f + 3.0, dawn_f, 55.0, midnight_f]
    return tuple((h * HOUR_MS, float(np.interp(h, at, f))) for h in range(24))


def low(hours: tuple[tuple[int, float], ...], hour: int, law: Temperature = LOW_LAW) -> Temperature | Lower:
    """As seen at an hour that is as forecast, less the day's bias."""
    found = remaining(law, hours, END, (hour * HOUR_MS, hours[hour][1]), Extreme.LOW)
    assert found is not None
    return found


def as_forecast(*ends_f: float, shape: Shape = Shape.NORMAL) -> Temperature:
    """The law of a day whose forecast has no bias, and at whose ends it is so cold."""
    law = msgspec.structs.replace(LOW_LAW, mean=ends_f[0], shape=shape)
    if len(ends_f) == 1:
        return law
    both = [msgspec.structs.replace(law, mean=f) for f in ends_f]
    return msgspec.structs.replace(law, mean=lower_of(*both).mean)


@pytest.mark.parametrize("shape", [Shape.NORMAL, Shape.T6])
def test_a_low_may_come_at_either_end_of_its_day(shape: Shape) -> None:
    """Against draws of both ends, whose errors are apart by more hours than they last."""
    hours = night(40.0, 41.0)
    law = low(hours, 1, as_forecast(40.0, 41.0, shape=shape))
    assert isinstance(law, Lower)
    assert (law.early.mean, law.late.mean) == pytest.approx((40.0, 41.0))
    assert law.early.sigma < law.late.sigma, "more is new by midnight"
    draws, of = np.random.default_rng(5), 200_000
    both = [
        end.mean
        + end.scale * (draws.standard_normal(of) if shape is Shape.NORMAL else draws.standard_t(6, of))
        for end in (law.early, law.late)
    ]
    drawn = np.minimum(*both)
    assert (law.mean, law.sigma) == pytest.approx((drawn.mean(), drawn.std()), abs=0.05)
    rungs = [Rung("a", None, 37), Rung("b", 38, 39), Rung("c", 40, 41), Rung("d", 42, None)]
    chances, errors = chances_of([Laws((part(rungs, law),))])
    ends = np.array([-math.inf, 37.5, 39.5, 41.5, math.inf])
    assert chances == pytest.approx(np.histogram(drawn, ends)[0] / of, abs=0.005)
    assert math.fsum(chances) == pytest.approx(1.0, abs=1e-12) and all(errors > 0)
    reached = Reached(41, Extreme.LOW)
    held = chances_of([Laws((part(rungs, law, reached),))])[0]
    assert held[:2] == pytest.approx(chances[:2]) and held[3] == 0.0 and math.fsum(held) == pytest.approx(1.0)


def test_the_lower_of_both_ends_is_as_cold_as_the_day_was_thought_to_be() -> None:
    """What was learned of lows is of the lower one, whichever that was: each end lies above it."""
    above = LOW_LAW.sigma / math.sqrt(math.pi)
    law = low(night(LOW_LAW.mean + above, LOW_LAW.mean + above), 0)
    assert isinstance(law, Lower)
    assert law.mean == pytest.approx(LOW_LAW.mean, abs=0.02)
    assert law.early.mean == law.late.mean == pytest.approx(LOW_LAW.mean + above)


def test_a_colder_evening_than_a_morning_that_is_over_is_still_to_come() -> None:
    """As cold as now the day has been; of the evening nothing is known yet, and it is what may be colder."""
    law = low(night(40.0, 41.0), 6, as_forecast(40.0, 41.0))
    assert isinstance(law, Lower)
    assert (law.early.mean, law.early.sigma) == (40.0, SIGMA_MIN_F)
    assert law.late.mean == pytest.approx(41.0) and law.late.sigma > 2.4
    assert law.early.below(38.5) < 0.04 and law.below(38.5) > 0.15


@pytest.mark.parametrize(
    ("hours", "ends", "hour", "end"),
    [
        (night(40.0, 54.0), (40.0, 54.0), 1, "early"),
        (night(40.0, 41.0), (40.0, 41.0), 12, "late"),
        (tuple((h * HOUR_MS, 40.0 + h) for h in range(24)), (40.0,), 3, "early"),
    ],
)
def test_an_end_that_is_far_warmer_says_nothing(
    hours: tuple[tuple[int, float], ...], ends: tuple[float, ...], hour: int, end: str
) -> None:
    law = low(hours, hour, as_forecast(*ends))
    assert isinstance(law, Lower)
    colder = getattr(law, end)
    assert colder.mean == pytest.approx(min(f for at, f in hours if at >= hour * HOUR_MS))
    assert (law.mean, law.sigma) == pytest.approx((colder.mean, colder.sigma), abs=1e-3)


@pytest.mark.parametrize(
    ("hours", "ends", "hour"),
    [
        (night(40.0, 41.0), (40.0, 41.0), 20),
        (tuple((h * HOUR_MS, 60.0 - h) for h in range(24)), (37.0,), 3),
        # Hours that errors outlast.
        (tuple((h * HOUR_MS, 50.0 - (h % 3)) for h in range(24)), (48.0,), 20),
    ],
)
def test_with_one_end_left_there_is_one_law(
    hours: tuple[tuple[int, float], ...], ends: tuple[float, ...], hour: int
) -> None:
    law = low(hours, hour, as_forecast(*ends))
    assert isinstance(law, Temperature)
    assert law.mean == pytest.approx(min(f for at, f in hours if at >= hour * HOUR_MS))
