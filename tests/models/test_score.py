"""Scores against their definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.weather.normal import Normal
from core.models.weather.score import LOG_FLOOR, Record, brier, crps, log_score, settled


@given(st.floats(-30, 30), st.floats(0.5, 6), st.floats(-40, 40))
def test_crps_is_the_integral_it_stands_for(mean: float, sigma: float, observed: float) -> None:
    law = Normal(mean, sigma, 0.0, 0.0)
    low = min(mean - 9 * sigma, observed)
    high = max(mean + 9 * sigma, observed)

    def integral(a: float, b: float, above: bool) -> float:
        steps = 2000
        width = (b - a) / steps
        points = (a + (i + 0.5) * width for i in range(steps))
        return sum((law.below(x) - above) ** 2 for x in points) * width

    assert crps(law, observed) == pytest.approx(
        integral(low, observed, False) + integral(observed, high, True), abs=2e-3
    )


def test_brier_and_log_score() -> None:
    assert brier((0.2, 0.5, 0.3), 1) == pytest.approx(0.04 + 0.25 + 0.09)
    assert log_score(0.25) == pytest.approx(math.log(4))
    assert log_score(0.0) == pytest.approx(-math.log(LOG_FLOOR))


def test_record_compares_model_and_normalised_book() -> None:
    record = Record()
    assert record.sentence() == "no record yet"
    record = settled(record, (0.5, 0.5), (0.6, 0.6), 0)
    record = settled(record, (0.25, 0.75), (0.2, 0.2), 0)
    expected_model = (math.log(2) + math.log(4)) / 2
    assert record.sentence() == f"model {expected_model:.2f} book {math.log(2):.2f}"
    with pytest.raises(ValueError, match="settled event"):
        settled(record, (1.0,), (0.5, 0.5), 0)
