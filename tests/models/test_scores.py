"""Scores against their definitions, computed the slow way: integrals, double sums, draws at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import stdtr

from core.models import scores
from core.models.laws import Law, Mixture, Shape, below, density

SHAPES = list(Shape)


def plain_below(shape: Shape, z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2)) if shape is Shape.NORMAL else float(stdtr(shape.degrees, z))


def crps_by_integral(cdf, y: float) -> float:  # type: ignore[no-untyped-def]
    left, _ = quad(lambda x: cdf(x) ** 2, y - 400, y, limit=400, points=[y - 30, y - 5])
    right, _ = quad(lambda x: (1 - cdf(x)) ** 2, y, y + 400, limit=400, points=[y + 5, y + 30])
    return left + right


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("z", [-40.0, -7.5, -1.0, 0.0, 0.3, 2.0, 9.0])
def test_distribution_and_density_of_a_law(shape: Shape, z: float) -> None:
    assert below(shape, z) == pytest.approx(plain_below(shape, z), abs=1e-14)
    slope = (plain_below(shape, z + 1e-5) - plain_below(shape, z - 1e-5)) / 2e-5
    assert density(shape, z) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_distribution_reaches_both_ends(shape: Shape) -> None:
    assert list(below(shape, [-np.inf, np.inf])) == [0.0, 1.0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("mean", "scale", "y"), [(70.0, 3.0, 71.0), (70.0, 0.5, 75.0), (-4.0, 5.0, -4.0)])
def test_crps_is_the_integral(shape: Shape, mean: float, scale: float, y: float) -> None:
    law = Law(shape, np.array([mean]), np.array([scale]))
    expected = crps_by_integral(lambda x: plain_below(shape, (x - mean) / scale), y)
    assert scores.crps(law, y)[0] == pytest.approx(expected, abs=1e-6)


def test_crps_golden() -> None:
    """A normal at its mean: ``s (sqrt(2) - 1) / sqrt(pi)``."""
    law = Law(Shape.NORMAL, np.array([70.0]), np.array([3.0]))
    assert scores.crps(law, 70.0)[0] == pytest.approx(3 * (math.sqrt(2) - 1) / math.sqrt(math.pi), rel=1e-12)


@pytest.mark.parametrize("y", [64.0, 73.0, 90.0])
def test_crps_of_a_mixture_is_the_integral(y: float) -> None:
    one = Law(Shape.NORMAL, np.array([65.0, 65.0]), np.array([2.0, 2.0]))
    other = Law(Shape.NORMAL, np.array([82.0, 82.0]), np.array([4.0, 4.0]))
    mixed = Mixture((0.3, 0.7), (one, other))

    def cdf(x: float) -> float:
        return 0.3 * plain_below(Shape.NORMAL, (x - 65) / 2) + 0.7 * plain_below(Shape.NORMAL, (x - 82) / 4)

    got = scores.crps(mixed, np.array([y, y]))
    assert got == pytest.approx([crps_by_integral(cdf, y)] * 2, abs=1e-6)


@pytest.mark.parametrize("y", [20.0, 64.0, 73.0, 90.0])
@pytest.mark.parametrize("shape", [Shape.T3, Shape.T6])
def test_crps_of_a_mixture_of_other_shapes_is_the_integral(shape: Shape, y: float) -> None:
    one, other = (
        Law(shape, np.array([65.0]), np.array([2.0])),
        Law(Shape.NORMAL, np.array([82.0]), np.array([4.0])),
    )

    def cdf(x: float) -> float:
        return 0.3 * plain_below(shape, (x - 65) / 2) + 0.7 * plain_below(Shape.NORMAL, (x - 82) / 4)

    got = scores.crps(Mixture((0.3, np.array([0.7])), (one, other)), np.array([y]))
    assert got == pytest.approx([crps_by_integral(cdf, y)], abs=1e-6)
    alone = Mixture((1.0, 0.0), (one, other))
    assert scores.crps(alone, np.array([y])) == pytest.approx(scores.crps(one, y), abs=1e-6)


def test_mean_and_spread_of_a_mixture() -> None:
    one = Law(Shape.NORMAL, np.array([65.0]), np.array([2.0]))
    other = Law(Shape.T6, np.array([82.0]), np.array([4.0]))
    mixed = Mixture((0.3, 0.7), (one, other))
    assert mixed.mean == pytest.approx([0.3 * 65 + 0.7 * 82])
    variance = 0.3 * (4 + (65 - 76.9) ** 2) + 0.7 * (16 * 6 / 4 + (82 - 76.9) ** 2)
    assert mixed.sd == pytest.approx([math.sqrt(variance)])


def test_event_scores_are_of_floored_probabilities() -> None:
    """Nothing on the winner of six: it is given a floor, and the others a little less than they had."""
    given_ = np.array([[0.0, 0.4, 0.3, 0.2, 0.1, 0.0]])
    winner = np.array([0])
    total = 1.0 + 2 * 0.002
    assert scores.log_loss(given_, winner)[0] == pytest.approx(-math.log(0.002 / total))
    parts = [0.002 / total, 0.4 / total, 0.3 / total, 0.2 / total, 0.1 / total, 0.002 / total]
    brier = (parts[0] - 1) ** 2 + sum(p * p for p in parts[1:])
    assert scores.brier_event(given_, winner)[0] == pytest.approx(brier)


def test_scores_of_contracts() -> None:
    assert scores.brier([0.25, 0.25], [True, False]) == pytest.approx([0.5625, 0.0625])
    assert scores.log_score([0.25, 0.0]) == pytest.approx([math.log(4), -math.log(0.002)])


def test_calibration_is_the_mean_over_random_draws() -> None:
    """What sharing out a whole degree's stretch replaces: many seeds' randomised PIT."""
    rng = np.random.default_rng(5)
    law = Law(Shape.NORMAL, rng.normal(70, 8, 300), np.full(300, 2.0))
    y = np.round(rng.normal(law.location + 0.4, 3.0))
    low, high = scores.stretch(law, y)
    drawn = low + (high - low) * rng.uniform(size=(2000, 300))
    for level in (0.5, 0.8, 0.9):
        inside = np.abs(drawn - 0.5) <= level / 2
        assert scores.covered(low, high, level).mean() == pytest.approx(inside.mean(), abs=2e-3)
    assert scores.pit_mean(low, high).mean() == pytest.approx(drawn.mean(), abs=2e-3)
    pooled = np.sort(drawn.ravel())
    apart = np.abs(np.arange(1, pooled.size + 1) / pooled.size - pooled).max()
    assert scores.kolmogorov(low, high) == pytest.approx(apart, abs=3e-3)


def test_an_outcome_beyond_all_probability_is_outside_every_interval() -> None:
    low, high = np.array([1.0]), np.array([1.0])
    assert scores.covered(low, high, 0.9)[0] == 0.0
    assert scores.kolmogorov(low, high) == pytest.approx(1.0, abs=5e-3)


def test_calibrated_forecasts_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(9)
    said = rng.uniform(size=20_000)
    bins = scores.reliability(said, rng.uniform(size=said.size) < said)
    assert [b.low for b in bins] == list(scores.RELIABILITY_EDGES[:-1])
    assert sum(b.count for b in bins) == said.size
    assert sum(b.happened_low <= b.said <= b.happened_high for b in bins) >= 8
    assert scores.calibration_error(bins) < 0.01


def test_reliability_leaves_empty_bins_out_and_holds_the_ends() -> None:
    bins = scores.reliability(np.array([0.0, 1.0, 1.0]), np.array([False, True, False]))
    assert [(b.low, b.high, b.count, b.happened) for b in bins] == [(0.0, 0.02, 1, 0.0), (0.9, 1.0, 2, 0.5)]
    assert scores.calibration_error(bins) == pytest.approx(2 / 3 * 0.5)
    assert scores.calibration_error(()) == 0.0


def test_wilson_interval_golden() -> None:
    """Four of ten: the roots of ``(p - .4)^2 = z^2 p (1 - p) / 10``."""
    assert scores.wilson(0.4, 10) == pytest.approx((0.16818, 0.68733), abs=1e-5)
    assert scores.wilson(0.0, 10)[0] == 0.0


def test_errors_of_one_day_count_once() -> None:
    """Ten cities that repeat each other say no more than one does."""
    rng = np.random.default_rng(3)
    once = rng.normal(size=200)
    alone = scores.by_day(once, np.arange(200))
    repeated = scores.by_day(np.repeat(once, 10), np.repeat(np.arange(200), 10))
    assert alone.se == pytest.approx(once.std(ddof=1) / math.sqrt(200))
    assert repeated.se == pytest.approx(alone.se)
    assert (repeated.n, repeated.days) == (2000, 200)
    assert scores.by_day(np.array([1.0]), np.array([1])).se is None


@given(st.lists(st.floats(-3.0, 3.0), min_size=20, max_size=60).filter(lambda x: np.std(x) > 0.01))
def test_a_drift_is_the_worst_of_all_stretches_that_end_today(losses: list[float]) -> None:
    days = np.arange(len(losses), dtype=np.int64) + 700_000
    found = scores.drift(np.array(losses), days)
    steps = np.minimum(np.array(losses) / np.std(losses, ddof=1), 3.0) - 0.5
    totals = [max(0.0, *(math.fsum(steps[k : n + 1]) for k in range(n + 1))) for n in range(len(steps))]
    assert found is not None and found.total == pytest.approx(totals[-1], abs=1e-9)
    standing = len(totals) - 1
    while standing >= 0 and totals[standing] > 1e-9:
        standing -= 1
    beyond = any(total > 5.0 + 1e-9 for total in totals[standing + 1 :])
    assert (
        (found.since == 700_000 + standing + 1)
        if beyond
        else (found.since is None or max(totals[standing + 1 :], default=0.0) > 5.0 - 1e-9)
    )


def test_a_shift_is_told_of_within_days_and_a_single_disaster_is_none() -> None:
    rng = np.random.default_rng(7)
    days = np.arange(120, dtype=np.int64)
    told, wrong = [], 0
    for _ in range(200):
        even = rng.normal(0.0, 1.0, 120)
        wrong += (whole := scores.drift(even, days)) is not None and whole.since is not None
        shifted = even + np.where(days >= 90, 1.5, 0.0)
        found = scores.drift(shifted, days)
        told.append(found is not None and found.since is not None and found.since >= 60)
    assert np.mean(told) > 0.95 and wrong < 30
    calm = rng.normal(-0.3, 1.0, 120)
    calm[100] = 80.0
    found = scores.drift(calm, days)
    assert found is not None and found.since is None
    assert scores.drift(calm[:19], days[:19]) is None and scores.drift(np.zeros(50), days[:50]) is None
    worse = np.concatenate([np.resize([1.0, -1.0], 60), np.full(10, 1.8), np.full(3, -0.1)])
    less = scores.drift(worse, np.arange(worse.size, dtype=np.int64))
    assert less is not None and (less.total > 5.0 or less.since is not None) and less.since is not None
    assert less.since >= 57
    back = np.concatenate([worse, np.full(4, -1.0)])
    standing = scores.drift(back, np.arange(back.size, dtype=np.int64))
    assert standing is not None and 0.0 < standing.total < 5.0 and standing.since == less.since
    several = scores.drift(np.repeat(calm, 3), np.repeat(days, 3))
    assert several is not None and several.total == pytest.approx(found.total), "a day is one step"
