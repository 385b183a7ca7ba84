"""The fit of a pool against a search by hand, and what a gain that may be chance earns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from core.models import scores
from core.models.laws import Array
from core.models.pooling import Weights
from core.models.pooling_fit import Fitted, fit, pool


def forecasts(seed: int, events: int = 300) -> tuple[Array, Array, np.ndarray]:
    """Two noisy views of the same four chances, and who won."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.2, (events, 4))
    chances = np.exp(true)
    chances /= chances.sum(axis=1, keepdims=True)
    winner = np.array([rng.choice(4, p=p) for p in chances])
    views = []
    for noise in (0.9, 0.5):
        view = np.exp(true + rng.normal(0, noise, true.shape))
        views.append(view / view.sum(axis=1, keepdims=True))
    return views[0], views[1], winner


def by_hand(model: Array, market: Array, weight: float, sharpen: float) -> Array:
    power = scores.floored(market) ** (sharpen * (1 - weight)) * scores.floored(model) ** weight
    return power / power.sum(axis=1, keepdims=True)


def test_a_pool_is_the_weighted_product() -> None:
    model, market, _ = forecasts(1, 20)
    assert pool(model, market, Weights(0.3, 1.1)) == pytest.approx(by_hand(model, market, 0.3, 1.1))
    assert pool(model, market, Weights(0.0, 1.0)) == pytest.approx(scores.floored(market))


@pytest.mark.parametrize("seed", [1, 2])
def test_fit_loses_least(seed: int) -> None:
    model, market, winner = forecasts(seed)
    found = fit(model, market, winner, np.arange(300))

    def loss(weights: Array) -> float:
        p = by_hand(model, market, weights[0], weights[1])
        return float(-np.log(p[np.arange(300), winner]).mean())

    best = minimize(loss, [0.3, 1.0], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
    assert (found.model, found.sharpen) == pytest.approx(tuple(best.x), abs=1e-3)
    alone = minimize(lambda s: loss(np.array([0.0, s[0]])), [1.0], method="Nelder-Mead")
    assert found.sharpen_alone == pytest.approx(alone.x[0], abs=1e-3)
    assert found.gain == pytest.approx(alone.fun - best.fun, abs=1e-6)
    assert found.gain > 0 < found.error


def test_a_model_that_says_nothing_has_no_weight() -> None:
    _, market, winner = forecasts(3)
    rng = np.random.default_rng(3)
    wrong = np.exp(-2 * np.log(market))
    wrong /= wrong.sum(axis=1, keepdims=True)
    found = fit(wrong * 0.9 + 0.1 * rng.dirichlet(np.ones(4), 300), market, winner, np.arange(300))
    assert found.model == 0.0
    assert found.earned() == Weights(0.0, found.sharpen_alone)


def test_days_not_events_are_the_evidence() -> None:
    model, market, winner = forecasts(1)
    alone = fit(model, market, winner, np.arange(300))
    twice = fit(
        np.tile(model, (2, 1)), np.tile(market, (2, 1)), np.tile(winner, 2), np.tile(np.arange(300), 2)
    )
    assert twice.error == pytest.approx(alone.error, rel=1e-6)
    assert twice.days == 300


def test_a_gain_earns_the_part_that_is_no_chance() -> None:
    measured = Fitted(0.5, 1.2, 0.9, gain=0.03, error=0.03, days=90)
    earned = measured.earned()
    assert earned.model == 0.25
    # Half way from the market's power alone to that in the pool.
    assert earned.sharpen * (1 - earned.model) == pytest.approx((1.2 * 0.5 + 0.9) / 2)
    assert Fitted(0.5, 1.2, 0.9, gain=-0.01, error=0.03, days=90).earned() == Weights(0.0, 0.9)


def test_events_of_other_sizes_are_fitted_together() -> None:
    model, market, winner = forecasts(1)
    found = fit(model, market, winner, np.arange(300))
    padded = [np.concatenate([x, np.full((300, 2), np.nan)], axis=1) for x in (model, market)]
    wide = fit(padded[0], padded[1], winner, np.arange(300))
    assert (wide.model, wide.sharpen, wide.gain) == pytest.approx((found.model, found.sharpen, found.gain))
    assert np.isnan(pool(padded[0], padded[1], Weights(0.3))[:, 4:]).all()
