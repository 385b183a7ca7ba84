"""A ladder of brackets and the mass a distribution puts on it."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Market, Strike, StrikeKind
from core.models.prediction import Laws
from core.models.rungs import Rung
from core.models.valuing import chances_of
from core.models.weather.brackets import Reached, ladder, part
from core.models.weather.temperature import Temperature

Brackets = Callable[..., list[Market]]


def cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def probabilities(rungs: Sequence[Rung], law: Temperature, at_least: int | None = None) -> list[float]:
    reached = Reached(at_least) if at_least is not None else None
    return chances_of([Laws((part(rungs, law, reached),))])[0].tolist()


def standard_errors(rungs: Sequence[Rung], law: Temperature) -> list[float]:
    return chances_of([Laws((part(rungs, law),))])[1].tolist()


def rungs_of(lowest: int) -> tuple[Rung, ...]:
    middle = [Rung(str(i), lowest + 2 * i, lowest + 2 * i + 1) for i in range(4)]
    return (Rung("low", None, lowest - 1), *middle, Rung("high", lowest + 8, None))


LAWS = st.builds(
    Temperature,
    mean=st.floats(-40, 120),
    sigma=st.floats(0.5, 8),
    mean_se=st.floats(0, 2),
    sigma_se=st.floats(0, 2),
)


@given(LAWS, st.integers(-40, 120), st.none() | st.integers(-40, 120))
def test_masses_sum_to_one_and_none_is_negative(law: Temperature, lowest: int, at_least: int | None) -> None:
    masses = probabilities(rungs_of(lowest), law, at_least)
    assert sum(masses) == pytest.approx(1.0, abs=1e-12)
    assert all(m >= 0.0 for m in masses)


def test_rounding_edges_are_half_degrees() -> None:
    law = Temperature(70.5, 2.0, 0.0, 0.0)
    middle = probabilities((Rung("a", None, 69), Rung("b", 70, 71), Rung("c", 72, None)), law)[1]
    assert middle == pytest.approx(cdf(0.5) - cdf(-0.5))


@given(LAWS, st.integers(30, 60))
def test_an_observed_maximum_kills_what_lies_below_and_normalises_nothing(
    law: Temperature, at_least: int
) -> None:
    rungs = rungs_of(40)
    free, bound = probabilities(rungs, law), probabilities(rungs, law, at_least)
    for rung, before, after in zip(rungs, free, bound, strict=True):
        if rung.high is not None and rung.high < at_least:
            assert after == 0.0
        elif rung.low is not None and rung.low > at_least:
            assert after == pytest.approx(before)  # what R does above M is not changed by M
        else:
            assert after >= before


@given(LAWS.filter(lambda law: law.sigma > 1), st.integers(20, 80))
def test_standard_errors_match_a_numeric_derivative(law: Temperature, lowest: int) -> None:
    rungs, step = rungs_of(lowest), 1e-5
    shift = msgspec.structs.replace(law, mean=law.mean + step)
    widen = msgspec.structs.replace(law, sigma=law.sigma + step)
    base, moved, wider = (probabilities(rungs, one) for one in (law, shift, widen))
    for error, p, p_mean, p_sigma in zip(standard_errors(rungs, law), base, moved, wider, strict=True):
        by_mean, by_sigma = (p_mean - p) / step * law.mean_se, (p_sigma - p) / step * law.sigma_se
        assert error == pytest.approx((by_mean**2 + by_sigma**2) ** 0.5, abs=2e-4)


def test_listed_events_are_ladders_in_any_order(brackets: Brackets) -> None:
    found = ladder(brackets(41)[::-1])
    assert not isinstance(found, str)
    assert [(r.low, r.high) for r in found] == [
        (None, 40),
        (41, 42),
        (43, 44),
        (45, 46),
        (47, 48),
        (49, None),
    ]


def second_with(markets: list[Market], **fields: Any) -> list[Market]:
    return [markets[0], msgspec.structs.replace(markets[1], **fields), *markets[2:]]


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda m: m[:1], "fewer than two"),
        (lambda m: m[1:], "both tails"),
        (lambda m: m[:2] + m[3:], "not contiguous"),
        (lambda m: second_with(m, exclusive=False), "exclusive"),
        (lambda m: second_with(m, event_ticker="X"), "different events"),
        (lambda m: second_with(m, strike=Strike(StrikeKind.BETWEEN, 41.5, 42.5)), "whole degrees"),
        (lambda m: second_with(m, strike=Strike(StrikeKind.BETWEEN, 40, 42)), "not contiguous"),
    ],
)
def test_sets_that_are_no_ladder_are_refused(
    brackets: Brackets, break_it: Callable[[list[Market]], list[Market]], reason: str
) -> None:
    found = ladder(break_it(brackets(41)))
    assert isinstance(found, str)
    assert reason in found
