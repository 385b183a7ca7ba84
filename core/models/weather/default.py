"""The model a desk prices with unless it is told otherwise: EMOS-t on all sources, averaged with what needs
no fit, the more so the shorter its history.

Measured at lead 1 over six cities to February 2025: of up to a year and a half of history EMOS held 74 % of
outcomes in its 80 % interval and was ahead of the recent errors alone by 0.01 to 0.05 F CRPS; of more, it
held 80 % and was ahead by 0.08 to 0.19 F.
"""

from __future__ import annotations

from core.models.laws import Law
from core.models.weather import emos
from core.models.weather.predictors import Predictors

NAME = "default"
VERSION = "2"


def predict(parameters: emos.Parameters, known: Predictors) -> Law:
    """One law a row; ``parameters`` are of the t."""
    return emos.averaged(emos.predict(parameters, known), emos.recent(known), parameters.days)
