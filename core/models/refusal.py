"""Why a model gives no price, carried out of its steps, and what the steps of several models share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.domain.market import Market
from core.models.fair_value import NoPrice
from core.models.prediction import Prediction

Term = TypeVar("Term")


class RefusedError(Exception):
    """Carries the one sentence of a ``NoPrice``."""


def attempted(markets: Sequence[Market], predict: Callable[[], Prediction]) -> Prediction | NoPrice:
    """What ``predict`` says of the one event all of whose markets these are, or why it refused."""
    try:
        return predict()
    except RefusedError as refusal:
        return NoPrice(markets[0].event_ticker if markets else "", str(refusal))
