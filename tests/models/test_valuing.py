"""The pricing pass against one outcome at a time, computed the plain way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from core.models import grid
from core.models.fair_value import InputAge
from core.models.laws import Shape
from core.models.prediction import Chances, Laws, Part, Prediction, edges
from core.models.valuing import chances_of
from tests.models.alone import alone


def plain(shape: Shape, z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2)) if shape.degrees is None else float(stdtr(shape.degrees, z))


def contiguous(lowest: float, widths: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    inner = [lowest + sum(widths[:n]) for n in range(len(widths) + 1)]
    return edges([(a, b) for a, b in zip([None, *inner], [*inner, None], strict=True)])


@st.composite
def laws(draw: st.DrawFn) -> Laws:
    """A mixture over contiguous outcomes that reach both tails."""
    lower, upper = contiguous(draw(st.floats(-50, 50)), draw(st.lists(st.floats(0.5, 9), max_size=8)))
    weights = draw(st.lists(st.floats(0.1, 1.0), min_size=1, max_size=4))

    def part(weight: float) -> Part:
        location, scale = draw(st.floats(-60, 60)), draw(st.floats(0.3, 20))
        errors = draw(st.floats(0, 2)), draw(st.floats(0, 0.5))
        shape = draw(st.sampled_from(list(Shape)))
        return Part(shape, location, scale, lower, upper, weight / sum(weights), *errors)

    return Laws(tuple(part(weight) for weight in weights))


@given(st.lists(laws(), min_size=1, max_size=6))
def test_the_pass_says_what_each_outcome_alone_does(says: list[Laws]) -> None:
    chances, errors = chances_of(says)
    at = 0
    for one in says:
        size = len(one.parts[0].lower)
        for n in range(size):
            wanted = math.fsum(
                part.weight
                * (
                    plain(part.shape, (part.upper[n] - part.location) / part.scale)
                    - plain(part.shape, (part.lower[n] - part.location) / part.scale)
                )
                for part in one.parts
            )
            assert chances[at + n] == pytest.approx(wanted, abs=1e-12)
        assert math.fsum(chances[at : at + size]) == pytest.approx(1.0, abs=1e-12)
        alone = chances_of([one])
        assert alone[0] == pytest.approx(chances[at : at + size], abs=1e-15)
        assert alone[1] == pytest.approx(errors[at : at + size], abs=1e-15)
        at += size


@given(laws())
def test_errors_are_those_of_location_and_scale_to_first_order(one: Laws) -> None:
    def moved(by: float, grown: float) -> np.ndarray:
        parts = tuple(
            Part(
                p.shape, p.location + by * p.location_error, p.scale * (1 + grown * p.scale_error),
                p.lower, p.upper, p.weight,
            )
            for p in one.parts
        )  # fmt: skip
        return chances_of([Laws(parts)])[0]

    step = 1e-5
    by_location = (moved(step, 0) - moved(-step, 0)) / (2 * step)
    by_scale = (moved(0, step) - moved(0, -step)) / (2 * step)
    assert chances_of([one])[1] == pytest.approx(np.hypot(by_location, by_scale), abs=1e-6)


def test_what_may_hold_in_place_of_the_law_counts_as_error() -> None:
    lower, upper = contiguous(0.0, [])
    usual = Part(Shape.NORMAL, 0.5, 1.0, lower, upper)
    unusual = tuple(Part(Shape.NORMAL, mean, 1.0, lower, upper, 0.5) for mean in (0.5, 1.5))
    chances, errors = chances_of([Chances((0.3, 0.7), (0.02, 0.03)), Laws((usual,), unusual)])
    low = plain(Shape.NORMAL, -0.5)
    assert chances == pytest.approx([0.3, 0.7, low, 1 - low])
    apart = 0.5 * (low - plain(Shape.NORMAL, -1.5))
    assert errors == pytest.approx([0.02, 0.03, apart, apart])


def test_a_decided_edge_has_all_of_the_law_on_one_side() -> None:
    part = Part(Shape.T4, 50.0, 2.0, (-math.inf, -math.inf, 51.5), (-math.inf, 51.5, math.inf), 1.0, 0.4, 0.1)
    chances, errors = chances_of([Laws((part,))])
    assert (chances[0], errors[0]) == (0.0, 0.0)
    assert chances[1:].sum() == pytest.approx(1.0, abs=1e-15)
    assert errors[1] == errors[2] > 0


def test_every_event_gets_its_own_values() -> None:
    inputs = (InputAge("a", 5_000, 60), InputAge("b", 4_000, 60))

    def predicted(event: str, *chances: float) -> Prediction:
        tickers = tuple(f"{event}-{n}" for n in range(len(chances)))
        says = Chances(chances, tuple(0.01 * (n + 1) for n in range(len(chances))))
        return Prediction(event, tickers, True, says, "m", "1", 7.0, 2.0, inputs, 9_000, ("because",))

    one, two = alone(predicted("A", 0.25, 0.75), predicted("B", 1.0))
    assert [(v.ticker, v.probability, v.sigma) for v in one.values] == [
        ("A-0", 0.25, 0.01),
        ("A-1", 0.75, 0.02),
    ]
    assert [(v.ticker, v.event_ticker, v.probability) for v in two.values] == [("B-0", "B", 1.0)]
    assert (one.values[0].issued_ms, one.values[0].computed_ms, one.mean) == (4_000, 9_000, 7.0)


def test_prices_are_the_nearest_whole_ones() -> None:
    assert grid.prices(np.array([0.0, 0.38246, 0.38244, 1.0])).tolist() == [0, 3825, 3824, 10_000]


@pytest.mark.parametrize(
    ("chances", "exclusive", "why"),
    [
        ((0.25, 0.75), True, ""),
        ((0.25, 0.75 + 1e-8), True, "what its model says adds up to 1.000000"),
        ((0.25, 0.65), True, "what its model says adds up to 0.900000"),
        ((0.25, 0.65), False, ""),
        ((0.25, math.nan), False, "what its model says is no probability"),
        ((1.25, -0.25), True, "what its model says is no probability"),
    ],
)
def test_an_event_knows_whether_its_values_are_probabilities_of_one(
    chances: tuple[float, ...], exclusive: bool, why: str
) -> None:
    says = Chances(chances, (0.01, 0.01))
    inputs = (InputAge("a", 5_000, 60),)
    (event,) = alone(Prediction("A", ("A-0", "A-1"), exclusive, says, "m", "1", 7.0, 2.0, inputs, 9_000))
    assert event.unsound == why
