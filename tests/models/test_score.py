"""Scores against their definitions."""

import math

import pytest

from core.models.weather.score import LOG_FLOOR, Record, log_score, settled


def test_log_score() -> None:
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
