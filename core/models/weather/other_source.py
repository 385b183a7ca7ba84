"""A ladder that settles on another record of its station than the daily climate report.

The models are fitted to climate reports, and nobody has measured over enough days how such a record differs.
What is known pulls both ways: markets settled on a record of the same company agreed with the report on all
of 39 days, and hourly readings, of which its pages are made, were a degree under it in most cities on the one
day compared. So the price is that of the report, and what a degree either way on one day in five would do to
it counts in full as its error: the unknown may cost us a trade, and is never a reason for one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.models.prediction import Part
from core.models.rungs import Rung
from core.models.weather.brackets import Reached, part
from core.models.weather.temperature import Lower, Temperature

OFFSETS_F = {-1: 0.1, 0: 0.8, 1: 0.1}
"""Degrees the other record lies above the report, and how likely."""


def sentence(source: str) -> str:
    """For the evidence of a price."""
    return f"settles on {source}, not the climate report the model knows: error widened for 1F on 1 day in 5"


def otherwise(
    rungs: Sequence[Rung], law: Temperature | Lower, reached: Reached | None, weight: float
) -> tuple[Part, ...]:
    """What would hold where the other record lies off the report as it may; arguments as of ``part``."""
    return tuple(
        part([_moved(rung, -offset) for rung in rungs], law, reached, weight * likely)
        for offset, likely in OFFSETS_F.items()
    )


def _moved(rung: Rung, degrees: int) -> Rung:
    return msgspec.structs.replace(
        rung,
        low=rung.low + degrees if rung.low is not None else None,
        high=rung.high + degrees if rung.high is not None else None,
    )
