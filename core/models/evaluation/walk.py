"""Walking forward: parameters are fitted anew every thirty days on what was known then, and each day is
predicted with the newest.

Refits stand at fixed days of a data set, so a day's prediction does not depend on which days are counted.
With a last day for fits they stay as they were after it; recent errors, which are inputs, go on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.laws import Array, Law, Shape
from core.models.weather import emos, emos_fit
from core.models.weather.predictors import Predictors, joined

REFIT_DAYS = 30

Fitted = TypeVar("Fitted")


class Steps(msgspec.Struct, frozen=True):
    """Which columns are to be predicted, and how much of the past a fit may see."""

    wanted: npt.NDArray[np.bool_]
    """By column (day)."""
    lead_days: int
    fit_until: int | None = None
    """Column of the last outcome a fit may see; may lie before or after all."""

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """How many columns from the first on a fit may see, and the columns to predict with it."""
        size = self.wanted.size
        starts = set(range(0, size, REFIT_DAYS))
        if self.fit_until is not None:
            starts.add(min(size, max(0, self.fit_until + 1 + self.lead_days)))
        edges = [*sorted(starts - {size}), size]
        for start, end in itertools.pairwise(edges):
            if self.wanted[start:end].any():
                seen = max(0, start - self.lead_days)
                if self.fit_until is not None:
                    seen = min(seen, max(0, self.fit_until + 1))
                yield seen, slice(start, end)


def fits(steps: Steps, fit: Callable[[int], Fitted]) -> Iterator[tuple[Fitted, slice]]:
    """What ``fit`` finds on so many first columns, for each block; fitted once where that does not change."""
    held: tuple[int, Fitted] | None = None
    for seen, block in steps.blocks():
        if held is None or held[0] != seen:
            held = seen, fit(seen)
        yield held[1], block


class Walked(msgspec.Struct, frozen=True):
    """Laws by station and column, and the days that each one's station was fitted on."""

    law: Law
    days: Array


def walk_emos(
    shape: Shape, known: Sequence[Predictors], outcomes: Array, steps: Steps, since: Sequence[int] = ()
) -> Walked:
    """EMOS of stations that have the same terms: fitted together, then each leaning on all.

    No law (NaN) where the past is too short. ``since`` as in ``fit_stations``.
    """
    location, scale, days = (np.full(outcomes.shape, np.nan) for _ in range(3))
    for parameters, block in fits(steps, lambda seen: fit_stations(shape, known, outcomes, seen, since)):
        for at, own in enumerate(parameters):
            law = emos.predict(own, known[at].rows(block))
            location[at, block], scale[at, block], days[at, block] = law.location, law.scale, own.days
    return Walked(Law(shape, location, scale), days)


def fit_stations(
    shape: Shape, known: Sequence[Predictors], outcomes: Array, seen: int, since: Sequence[int] = ()
) -> tuple[emos.Parameters, ...]:
    """Parameters of each station on the first columns; none for too few days.

    ``since`` says at which column each station's sources had all been heard (by default at once): before
    it, the station tells the others nothing.
    """
    past = [rows.rows(slice(0, seen)) for rows in known]
    joint = [at for at, first in enumerate(since or [0] * len(past)) if first < max(1, seen)]
    usable = [np.isfinite(past[at].anchor) & np.isfinite(outcomes[at, :seen]) for at in joint]
    if not joint or np.any(usable, axis=0).sum() < emos_fit.DAYS_MIN:
        return ()
    together = emos_fit.fit(shape, joined(tuple(past[at] for at in joint)), outcomes[joint, :seen].ravel())
    return tuple(
        emos_fit.fit(shape, p, y[:seen], prior=together) for p, y in zip(past, outcomes, strict=True)
    )
