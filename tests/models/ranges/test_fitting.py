"""Fits of a scale by the likelihood of a t, against a numerical optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from core.models.laws import T_SHAPES, Shape
from core.models.ranges.fitting import Prior, best_shape, likelihood, log_scale

NOTHING = Prior((0.0, 0.0), 0.0)


def drawn(degrees: int, count: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Returns whose log scale is ``-4 + 0.7 x``, and the columns it is made of."""
    random = np.random.default_rng(7)
    x = random.normal(size=count)
    unit = random.standard_t(degrees, count) / np.sqrt(degrees / (degrees - 2))
    return np.exp(-4.0 + 0.7 * x) * unit, np.column_stack([np.ones(count), x])


@pytest.mark.parametrize("shape", [Shape.T3, Shape.T6])
def test_the_likeliest_coefficients(shape: Shape) -> None:
    returns, known = drawn(4)
    found = log_scale(shape, returns, known, NOTHING)
    best = minimize(
        lambda c: -likelihood(shape, returns, np.exp(known @ c)), [-3.0, 0.0], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 2_000},
    )  # fmt: skip
    assert found == pytest.approx(best.x, abs=1e-6)


def test_what_made_them_is_found() -> None:
    shape, found = best_shape(*drawn(4), NOTHING)
    assert shape is Shape.T4
    assert found == pytest.approx([-4.0, 0.7], abs=0.04)


@pytest.mark.parametrize("shape", [Shape.NORMAL, *T_SHAPES.values()])
def test_likelihood_is_that_of_a_density_of_that_deviation(shape: Shape) -> None:
    def density(x: float) -> float:
        return float(np.exp(likelihood(shape, np.array([x]), np.array([0.3]))))

    assert quad(density, -np.inf, np.inf)[0] == pytest.approx(1.0, abs=1e-8)
    variance = 2 * quad(lambda x: x * x * density(x), 0, np.inf)[0]
    assert variance == pytest.approx(0.09, rel=1e-5)


def test_without_returns_the_prior_stands_and_gives_way_to_them() -> None:
    prior = Prior((-3.0, 0.0), 60.0)
    assert log_scale(Shape.T5, np.array([]), np.empty((0, 2)), prior) == pytest.approx([-3.0, 0.0])
    returns, known = drawn(5)
    free = log_scale(Shape.T5, returns, known, NOTHING)
    few = log_scale(Shape.T5, returns[:60], known[:60], prior)
    assert free[0] < few[0] < -3.0
    assert log_scale(Shape.T5, returns, known, prior) == pytest.approx(free, abs=0.05)


def test_a_prior_is_worth_its_number_of_returns() -> None:
    """The optimum of the likelihood with so many returns' information about the centre."""
    returns, known = drawn(5, 60)
    only, prior, information = known[:, :1], Prior((-3.0,), 60.0), 2 * 5 / (5 + 3)

    def unlikely(c: np.ndarray) -> float:
        away = 0.5 * information * (c[0] + 3) ** 2 * (1 + 1e-3)
        return 60 * (away - likelihood(Shape.T5, returns, np.exp(only @ c)))

    best = minimize(unlikely, [-3.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
    assert log_scale(Shape.T5, returns, only, prior) == pytest.approx(best.x, abs=1e-6)


def test_one_wild_return_does_not_make_the_rest_wide() -> None:
    returns, known = drawn(6)
    wild = returns.copy()
    wild[0] = 10.0
    before, after = (log_scale(Shape.T6, r, known, NOTHING)[0] for r in (returns, wild))
    assert abs(after - before) < 0.01


def test_a_normal_is_not_fitted_here() -> None:
    with pytest.raises(ValueError, match="fitted with a t"):
        log_scale(Shape.NORMAL, np.ones(3), np.ones((3, 1)), Prior((0.0,), 1.0))
