"""Figures that several rows are made with."""

from __future__ import annotations

from core.domain.order import Outcome
from core.domain.units import ONE_DOLLAR, Price, complement


def probability(value: float) -> int:
    """A probability as ten-thousandths."""
    return round(value * ONE_DOLLAR)


def probability_if(value: float | None) -> int | None:
    return None if value is None else probability(value)


def in_outcome(price: int | None, outcome: Outcome) -> int | None:
    """A YES price in terms of the outcome."""
    return price if price is None or outcome is Outcome.YES else int(complement(Price(price)))
