"""Tick grids and strikes against their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import CENT_GRID, PriceBand, Strike, StrikeKind, TickGrid
from core.domain.units import ONE_DOLLAR, Price


def bands(*edges: tuple[int, int, int]) -> TickGrid:
    return TickGrid(tuple(PriceBand(Price(a), Price(b), Price(s)) for a, b, s in edges))


GRIDS = [
    CENT_GRID,
    bands((0, 10_000, 10)),
    bands((0, 10_000, 1)),
    bands((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10)),
    bands((0, 1_000, 50), (1_000, 9_000, 100), (9_000, 10_000, 50)),
    bands((0, 100, 1), (100, 9_900, 10), (9_900, 10_000, 1)),
    bands((200, 950, 30), (2_000, 4_000, 70)),
]
VALID = [[p for p in range(1, 10_000) if grid.valid(Price(p))] for grid in GRIDS]
grids = st.sampled_from(range(len(GRIDS)))
prices = st.integers(-200, 10_200).map(Price)


@given(grids, prices)
def test_snapping_is_the_nearest_valid_price(which: int, price: Price) -> None:
    grid, valid = GRIDS[which], VALID[which]
    assert grid.floor(price) == max((p for p in valid if p <= price), default=None)
    assert grid.ceil(price) == min((p for p in valid if p >= price), default=None)
    assert grid.below(price) == max((p for p in valid if p < price), default=None)
    assert grid.above(price) == min((p for p in valid if p > price), default=None)


@given(grids, prices, prices)
def test_ticks_between_counts_valid_prices(which: int, low: Price, high: Price) -> None:
    grid, valid = GRIDS[which], VALID[which]
    assert grid.ticks_between(low, high) == sum(low < p <= high for p in valid)
    for edge in (b.start for b in grid.bands):
        assert grid.ticks_between(low, edge) == sum(low < p <= edge for p in valid)


def test_zero_and_one_dollar_are_never_valid() -> None:
    for grid in GRIDS:
        assert not grid.valid(Price(0)) and not grid.valid(ONE_DOLLAR)


@pytest.mark.parametrize(
    ("strike", "degrees"),
    [
        (Strike(StrikeKind.BETWEEN, 48, 49), (48, 49)),
        (Strike(StrikeKind.GREATER, floor=53), (54, None)),
        (Strike(StrikeKind.GREATER_OR_EQUAL, floor=54), (54, None)),
        (Strike(StrikeKind.LESS, cap=46), (None, 45)),
        (Strike(StrikeKind.LESS_OR_EQUAL, cap=45), (None, 45)),
        (Strike(StrikeKind.LESS, cap=-3), (None, -4)),
        (Strike(StrikeKind.BETWEEN, 49, 48), None),
        (Strike(StrikeKind.GREATER), None),
        (Strike(StrikeKind.GREATER, floor=53.5), None),
        (Strike(StrikeKind.GREATER, floor=float("inf")), None),
        (Strike(StrikeKind.GREATER, floor=float("nan")), None),
        (Strike(StrikeKind.OTHER, 1, 2), None),
    ],
)
def test_strikes_as_whole_degrees(strike: Strike, degrees: tuple[int | None, int | None] | None) -> None:
    assert strike.whole_degrees() == degrees
