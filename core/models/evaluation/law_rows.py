"""Rows of models that predict a number: laws by place and day against outcomes in whole units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from core.models import scores
from core.models.evaluation.rows import ALL, DEFAULT, Days, Row, row
from core.models.laws import Array, Law, Mixture

Said = Mapping[str, Law | Mixture]
"""By model; arrays by place and day, NaN where it says nothing."""


def law_rows(
    said: Said,
    places: Sequence[str],
    days: Days,
    outcomes: Array,
    counts: npt.NDArray[np.bool_],
    lead: int | None,
) -> list[Row]:
    """Rows of all places together, then of each; places without a day that counts have none.

    Days that count are those of ``counts`` (by place and day) of which the default says something.
    """
    told = said[DEFAULT]
    counts = counts & np.isfinite(told.mean) & np.isfinite(told.sd)
    groups = [(ALL, counts)]
    for at, place in enumerate(places):
        groups.append((place, counts & (np.arange(len(places)) == at)[:, None]))
    ordinals = np.broadcast_to(days, outcomes.shape)
    found = []
    for group, inside in groups:
        for model, law in said.items():
            here = inside & np.isfinite(law.mean) & np.isfinite(law.sd)
            if here.any():
                found.append(_row(model, group, law.rows(here), ordinals[here], outcomes[here], lead))
    return found


def _row(model: str, group: str, law: Law | Mixture, days: Days, outcomes: Array, lead: int | None) -> Row:
    low, high = scores.stretch(law, outcomes)
    crps = scores.crps(law, outcomes)
    return row(
        model, group, days, lead=lead, stretch=(low, high), crps=crps, log_loss=scores.log_score(high - low)
    )
