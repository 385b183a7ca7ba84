"""What is missing among the days that a weather table counts, and what stands still there, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from core.models.laws import Array
from core.models.weather.predictors import moving

Days = npt.NDArray[np.bool_]
"""By place and day."""


def gaps(
    counted: Days, outcomes: Array, known: Days, main: Array, others: Mapping[str, Array]
) -> Iterator[str]:
    """One clause for each kind of gap. ``counted`` are the days that are asked for, those before the first of
    them what they rest on; ``known`` are those of which the main forecast is there. A source is missed from
    its first forecast at a place on."""
    begun, came = _begun(main), np.isfinite(outcomes)
    before = begun & ~_begun(np.where(counted, 0.0, np.nan))
    if lost := int((before & ~(known & came)).sum()):
        yield f"of the days before, {lost} of {before.sum()} have no forecast or no outcome"
    wanted = begun & came & counted
    total = int(wanted.sum())
    if missing := int((wanted & ~known).sum()):
        yield f"{missing} of {total} do not count, their forecast or the one of the day before is missing"
    if still := int((wanted & known & _still(main)).sum()):
        yield f"on {still} of {total} the forecast stands still and counts as none"
    for name, values in others.items():
        due = wanted & _begun(values)
        if silent := int((due & ~np.isfinite(values)).sum()):
            yield f"{name} is silent on {silent} of {due.sum()}, the default does without it there"
        if still := int((due & _still(values)).sum()):
            yield f"{name} stands still on {still} of {due.sum()}, the default does without it there"


def _begun(values: Array) -> Days:
    return np.asarray(np.logical_or.accumulate(np.isfinite(values), axis=-1))


def _still(values: Array) -> Days:
    return np.asarray(np.isfinite(values) & ~np.isfinite(moving(values)))
