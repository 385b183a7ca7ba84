"""A prediction made into fair values of the model alone."""

from __future__ import annotations

from core.models.calibration import Standing, Verdict
from core.models.fair_value import EventFair
from core.models.prediction import Prediction
from core.models.valuing import Judged, value


def alone(*predictions: Prediction) -> list[EventFair]:
    """No book is there to pool it with."""
    trusted = Standing(Verdict.PROVEN, 1.0, "")
    return value([Judged(one, trusted, 1.0) for one in predictions], lambda ticker: "no book yet")
