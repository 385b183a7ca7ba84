"""The model a desk prices with unless it is told otherwise: EMOS-t on all sources, averaged with what needs
no fit, the more so the shorter its history.

Measured at lead 1 over six cities to February 2025: of up to a year and a half of history EMOS held 74 % of
outcomes in its 80 % interval and was ahead of the recent errors alone by 0.01 to 0.05 F CRPS; of more, it
held 80 % and was ahead by 0.08 to 0.19 F.

Where the sources fall into groups too far apart for one hump (``dressing.apart``), half of it is the dressed
sources: as a rule of all days these are behind by 0.044 F CRPS, but on such days the halves together are
ahead. At lead 1 (Austin, Chicago; 52 of 814 days) by 0.28 +- 0.20 F CRPS and 0.23 +- 0.12 in log score, with
68 % instead of 56 % of outcomes in the 80 % interval; of five global models at near-zero lead (18 cities;
2,807 of 13,932) by 0.028 +- 0.007 and 0.029 +- 0.008, with 83 instead of 77 %. Once the day runs they are one
t of the same mean and spread: behind the halves by 0.02 F and 0.05 at lead 1, by 0.005 F and 0.002 else.
"""

from __future__ import annotations

import numpy as np

from core.models.laws import Law, Mixture
from core.models.weather import dressing, emos
from core.models.weather.predictors import Predictors

NAME = "default"
VERSION = "3"
DRESSED = 0.5
"""Of the law where the sources are apart."""


def predict(parameters: emos.Parameters, kernel: dressing.Kernel | None, known: Predictors) -> Law | Mixture:
    """One law a row; ``parameters`` are of the t, ``kernel`` of the sources where there are several."""
    law = emos.averaged(emos.predict(parameters, known), emos.recent(known), parameters.days)
    return law if kernel is None else joined(law, dressing.predict(kernel, known.members.T))


def joined(law: Law, dressed: Mixture) -> Mixture:
    """The law, half of which gives way to the dressed sources on rows where those are apart."""
    there = dressing.apart(dressed)
    weights = (np.where(there, DRESSED * weight, 0.0) for weight in dressed.weights)
    parts = (
        # Without a weight it may be anything but no number.
        Law(
            part.shape,
            np.where(there, part.location, law.location),
            np.where(there, part.scale, law.scale),
        )
        for part in dressed.parts
    )
    return Mixture((np.where(there, 1.0 - DRESSED, 1.0), *weights), (law, *parts))
