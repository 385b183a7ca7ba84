"""The rolling model: which days it may use, and what it makes of them."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.stations import DAY_MS, HOUR_MS, climate_day_bounds, shift_day, stations
from core.models.weather.history import PastDay, shipped
from core.models.weather.rolling import DAYS_USED, Fit, fit

NYC = stations()["KNYC"]
ISSUE_DAY = "2025-01-21"
ISSUED_MS = climate_day_bounds(NYC, ISSUE_DAY)[0] + HOUR_MS


def history(errors: list[float], last: str = "2025-01-30") -> list[PastDay]:
    """Consecutive days ending on ``last`` with these forecast errors, oldest first."""
    return [
        PastDay("KNYC", shift_day(last, i - len(errors) + 1), 0, 40.0 + error, 40)
        for i, error in enumerate(errors)
    ]


def test_only_outcomes_known_at_issue_are_used() -> None:
    # 1.5 either way until the 19th, absurd from the 20th on: that day's report was not out yet.
    held = history([1.5 if i % 2 else -1.5 for i in range(90)] + [50.0] * 11)
    found = fit(held, NYC, 0, ISSUED_MS)
    assert isinstance(found, Fit)
    assert (found.last, found.days) == ("2025-01-19", DAYS_USED)
    assert abs(found.bias_f) < 0.1
    leaked = fit(held, NYC, 0, ISSUED_MS + DAY_MS)
    assert not isinstance(leaked, Fit) or leaked.bias_f > 0.5


def test_formula() -> None:
    errors = [math.sin(i) * 3 + 1 for i in range(75)]
    found = fit(history(errors, "2025-01-19"), NYC, 0, ISSUED_MS)
    assert isinstance(found, Fit)
    assert found.bias_f == pytest.approx(statistics.fmean(errors))
    assert found.sigma_f**2 == pytest.approx(statistics.variance(errors) * (1 + 1 / 75))
    law = found.predict(50.0)
    assert law.mean == pytest.approx(50.0 - found.bias_f)
    assert law.mean_se == pytest.approx(found.sigma_f / math.sqrt(75))


@given(st.integers(-2000, 2000))
def test_a_replay_under_another_calendar_uses_the_same_days(offset: int) -> None:
    held = history([1.5 if i % 3 else -1.0 for i in range(100)])
    assert fit(held, NYC, 0, ISSUED_MS + offset * DAY_MS, offset) == fit(held, NYC, 0, ISSUED_MS)


@pytest.mark.parametrize(
    ("errors", "last", "reason"),
    [
        ([1.0] * 10, "2025-01-19", "past days"),
        ([1.5, -1.5] * 40, "2024-12-30", "ends 2024-12-30"),
        ([0.2, -0.2] * 40, "2025-01-19", "sigma 0.2F"),
        ([9.0, -9.0] * 40, "2025-01-19", "sigma 9.1F"),
        ([5.0, 8.5] * 40, "2025-01-19", "bias +6.8F"),
    ],
)
def test_refusals_name_the_fault(errors: list[float], last: str, reason: str) -> None:
    found = fit(history(errors, last), NYC, 0, ISSUED_MS)
    assert isinstance(found, str)
    assert reason in found


def test_a_lead_without_history_is_refused() -> None:
    found = fit((), NYC, 1, ISSUED_MS)
    assert found == "no past forecasts for KNYC at lead 1"


def test_shipped_history_fits_every_city_of_the_demo() -> None:
    for icao in ("KNYC", "KMDW", "KMIA", "KAUS", "KDEN"):
        found = fit(shipped()[icao, 0], stations()[icao], 0, ISSUED_MS)
        assert isinstance(found, Fit), found
        assert found.days == DAYS_USED
