"""The law of a running average against sums, quadrature and simulated walks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.laws import T_SHAPES
from core.models.prediction import Laws
from core.models.ranges.averaging import Known, Law, Running, law, running
from core.models.valuing import chances_of

ENDS_MS = 900_000_000


@given(st.integers(1, 60), st.floats(0.0, 90_000.0))
def test_variance_is_that_of_the_mean_of_a_random_walk(left: int, wait_s: float) -> None:
    times = [wait_s + n for n in range(left)]
    summed = math.fsum(min(a, b) for a in times for b in times) / left**2
    assert Running(1.0, 60 - left, 1.0, left, wait_s).variance_s == pytest.approx(summed, rel=1e-9)


def test_known_limits_of_the_variance() -> None:
    """Both references: a third of a window from its start on, and m(m+1)(2m+1)/6m^2 inside it."""
    hour = running(1.0, ENDS_MS - 3_600_000, ENDS_MS, 60, None)
    assert hour.variance_s == pytest.approx(3_600 - 40, abs=1)
    inside = running(1.0, ENDS_MS - 19_000, ENDS_MS, 60, Known(41, 1.0, ENDS_MS - 19_000))
    assert math.sqrt(inside.variance_s) == pytest.approx(2.62, abs=0.01)
    assert inside.left / 60 * math.sqrt(inside.variance_s) == pytest.approx(0.83, abs=0.01)


@given(st.integers(0, 7_200_000))
def test_windows_join_without_a_step(before_ms: int) -> None:
    """Every value of the window is counted once: those known and those to come are all of it."""
    at_ms = ENDS_MS - before_ms
    known = max(0, 60 - -(-before_ms // 1000))
    state = running(100.0, at_ms, ENDS_MS, 60, Known(known, 100.0, at_ms) if known else None)
    assert state.counted + state.left == 60
    assert state.expected == pytest.approx(100.0)
    assert 0.0 <= state.wait_s <= max(1.0, before_ms / 1000 - 59 + 1e-6)


def below(of: Law, edge: float, relative: float = 1.0) -> tuple[float, float]:
    """Chance of at most ``edge``, and its error where the deviation is known to ``relative`` of itself."""
    chances, errors = chances_of([Laws((of.part(((None, edge),), relative),))])
    return float(chances[0]), float(errors[0])


@pytest.mark.parametrize(
    ("before_s", "counted", "mean"), [(300, 0, 0.0), (19, 41, 91_262.0), (1, 59, 91_240.0)]
)
def test_probabilities_are_those_of_simulated_walks(before_s: int, counted: int, mean: float) -> None:
    """Walks whose variance is drawn once each, which makes every mean of them a Student's t."""
    spot, degrees, paths, per_s = 91_250.0, 4, 60_000, 6.4e-9
    rng = np.random.default_rng(7)
    at_ms = ENDS_MS - before_s * 1000
    state = running(spot, at_ms, ENDS_MS, 60, Known(counted, mean, at_ms) if counted else None)
    scale = np.sqrt((degrees - 2) / rng.chisquare(degrees, paths)) * math.sqrt(per_s)
    walk = rng.normal(0.0, math.sqrt(state.wait_s), paths)
    total = np.zeros(paths)
    for _ in range(state.left):
        total += spot * np.exp(scale * walk)
        walk += rng.normal(0.0, 1.0, paths)
    settled = (counted * mean + total) / 60
    found = law(state, per_s, degrees)
    for away in (-1.5, -0.4, 0.0, 0.7, 2.0):
        edge = state.expected + away * found.spread
        assert below(found, edge)[0] == pytest.approx(float((settled <= edge).mean()), abs=0.007)


@given(st.floats(1e-6, 0.2), st.sampled_from(list(T_SHAPES)), st.floats(-3, 3))
def test_the_error_is_the_derivative_by_the_volatility(deviation: float, degrees: int, z: float) -> None:
    state = Running(100.0, 20, 101.0, 40, 1.0)
    edge = state.expected + z * Law(state, deviation, degrees).spread
    less, more = (below(Law(state, deviation * math.exp(h), degrees), edge)[0] for h in (-1e-4, 1e-4))
    error = below(Law(state, deviation, degrees), edge, relative=0.25)[1]
    assert error == pytest.approx(abs(more - less) / 2e-4 * 0.25, abs=1e-5)


def test_a_complete_average_is_certain() -> None:
    done = law(running(90.0, ENDS_MS, ENDS_MS, 60, Known(60, 100.0, ENDS_MS)), 1e-8, 4)
    assert (below(done, 99.99)[0], below(done, 100.01)[0], done.spread) == (0.0, 1.0, 0.0)
    # Fifty-nine values hold the mean so high that no price could bring it down to that edge.
    last = law(running(100.0, ENDS_MS - 1000, ENDS_MS, 60, Known(59, 100.0, ENDS_MS - 1000)), 1e-8, 4)
    assert below(last, 98.0) == (0.0, 0.0)
