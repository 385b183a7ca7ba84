"""The table of several global models at near-zero lead: what calibrating and joining them is worth.

No trading skill: such a day's maximum holds runs issued on the day itself. Rows have no lead.
"""

from __future__ import annotations

import numpy as np

from core.models.evaluation.law_rows import Said, law_rows
from core.models.evaluation.rows import DEFAULT, Counted, Row, none_counts
from core.models.evaluation.walk import Steps, walk_emos
from core.models.evaluation.weather_files import SHORT, ShortSet
from core.models.evaluation.weather_gaps import gaps
from core.models.evaluation.weather_laws import RECENT, rolled, stacked, steps_of, walk_dressing
from core.models.laws import Law, Shape
from core.models.weather import article_normal, default, dressing, emos, rolling
from core.models.weather.predictors import Series, predictors

MISMATCHED = ("KXHIGHCHI", "KXHIGHLAX")
"""Highs of another station than the one the series settles on."""
_LEAD_DAYS = 0


def short_rows(data: ShortSet, counted: Counted) -> tuple[list[Row], list[str]]:
    """Rows, and sentences on what is left out."""
    keep = [at for at, name in enumerate(data.series) if name not in MISMATCHED]
    names = [data.series[at] for at in keep]
    outcomes = data.outcomes[keep]
    main = next(iter(data.highs.values()))[keep]
    counts = np.isfinite(main) & np.isfinite(outcomes) & counted.holds(data.days)
    notes = [
        f"{SHORT}: {name} is left out, its highs are of another station than the contract's."
        for name in data.series
        if name in MISMATCHED
    ]
    if not counts.any():
        return [], [*notes, none_counts(SHORT, data.days)]
    _, *rest = data.highs
    held = np.broadcast_to(counted.holds(data.days), outcomes.shape)
    others = {name: data.highs[name][keep] for name in rest}
    missed = gaps(held, outcomes, np.isfinite(main), main, others)
    notes += [f"{SHORT}, days of a series: {gap}." for gap in missed]
    said = short_laws(data, keep, steps_of(data.days, counted, _LEAD_DAYS))
    return law_rows(said, names, data.days, outcomes, counts, None), notes


def short_laws(data: ShortSet, keep: list[int], steps: Steps) -> Said:
    """What every model says of the series at the places ``keep``."""
    outcomes = data.outcomes[keep]
    main = next(iter(data.highs.values()))[keep]
    series = [
        Series(
            first_ordinal=int(data.days[0]),
            lead_days=_LEAD_DAYS,
            outcomes=data.outcomes[at],
            forecasts={name: highs[at] for name, highs in data.highs.items()},
        )
        for at in keep
    ]
    known = [predictors(one) for one in series]
    recent, dressed = stacked(known), walk_dressing(series, steps)
    walked = {shape: walk_emos(shape, known, outcomes, steps) for shape in (Shape.NORMAL, Shape.T6)}
    return {
        article_normal.NAME: Law(
            Shape.NORMAL, main, np.where(np.isfinite(main), article_normal.SIGMA_F, np.nan)
        ),
        rolling.NAME: rolled(main, outcomes, _LEAD_DAYS),
        RECENT: recent,
        dressing.NAME: dressed,
        emos.NAME[Shape.NORMAL]: walked[Shape.NORMAL].law,
        emos.NAME[Shape.T6]: walked[Shape.T6].law,
        DEFAULT: default.joined(emos.averaged(walked[Shape.T6].law, recent, walked[Shape.T6].days), dressed),
    }
