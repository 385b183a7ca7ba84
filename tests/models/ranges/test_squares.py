"""Weighted squares and the shape of a week, by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.ranges.squares import DAY_HOUR_WORTH, HOUR_WORTH, WEEK_H, WEIGHT_MIN, ewma, week_shape


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.floats(0.5, 0.999), st.floats(0, 10))
def test_each_mean_is_of_the_squares_before(squares: list[float], decay: float, start: float) -> None:
    found = ewma(np.array(squares), decay, start)
    for n, value in enumerate(found):
        ages = np.arange(n)[::-1]
        expected = decay**n * start + (1 - decay) * float(np.sum(decay**ages * np.array(squares[:n])))
        assert value == pytest.approx(expected, abs=1e-9)


def test_an_hour_of_one_day_leans_on_that_hour_of_all_days() -> None:
    """Hour 8 moves four times as much on every day but Friday, of which nothing is known."""
    days = [d for d in range(4) for _ in range(50)]
    hours = np.array([d * 24 + h for d in days for h in (8, 9)])
    squares = np.array([4.0 if h % 24 == 8 else 1.0 for h in hours])
    shape = week_shape(hours, squares)
    seen, unseen = shape[8] / shape[9], shape[4 * 24 + 8] / shape[4 * 24 + 9]
    leant = (200 * 1.6 + HOUR_WORTH) / (200 * 0.4 + HOUR_WORTH)
    assert unseen == pytest.approx(leant)
    assert unseen < seen < 4.0
    weights = DAY_HOUR_WORTH * (200 * 1.6 + HOUR_WORTH) / (200 + HOUR_WORTH)
    quiet = DAY_HOUR_WORTH * (200 * 0.4 + HOUR_WORTH) / (200 + HOUR_WORTH)
    assert seen == pytest.approx((50 * 1.6 + weights) / (50 * 0.4 + quiet))
    assert np.average(shape, weights=np.bincount(hours, minlength=WEEK_H)) == pytest.approx(1.0)


def test_nothing_seen_is_flat_and_nothing_moved_is_little() -> None:
    none = np.array([], dtype=np.int64)
    assert (week_shape(none, np.array([])) == 1.0).all()
    assert (week_shape(np.array([3]), np.array([0.0])) == 1.0).all()
    shape = week_shape(np.repeat([3, 4], 50_000), np.tile([0.0] * 50_000 + [1.0] * 50_000, 1))
    assert 0 < shape[3] / shape[4] <= WEIGHT_MIN
