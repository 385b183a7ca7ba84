"""The range task: brackets of index, currency and coin returns, scored day by day.

CRPS is in basis points of return. A series' rows all count the same days.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.models import scores
from core.models.evaluation.range_files import daily, hourly
from core.models.evaluation.range_series import Said, Series, btcusd, eurusd, spx, spy
from core.models.evaluation.rows import Counted, DataError, Report, Row, none_counts, reported, row
from core.models.laws import Array, Law

TASK = "range"
FOLDER = "fx_index_crypto"
WARM_UP = 60
"""Days that must have been seen before the first one counts."""
FLOOR = 1e-4
"""Of the probability of the bracket that won, for the log loss."""
BASIS_POINT = 1e-4

_SETS: tuple[tuple[str, Callable[[Path, int | None], Series]], ...] = (
    ("spx_vix_daily.csv", lambda path, until: spx(daily(path, ("spx_close", "vix_close")), until)),
    ("spy_hourly.csv.gz", lambda path, until: spy(hourly(path), until)),
    ("eurusd_hourly.csv.gz", lambda path, until: eurusd(hourly(path), until)),
    ("btcusd_daily.csv", lambda path, until: btcusd(daily(path, ("close",)), until)),
)


def score(data: Path, counted: Counted) -> Report:
    """Scores of every history in ``data``. Raises ``DataError`` where a file with a wrong row leaves none."""
    rows: list[Row] = []
    notes: list[str] = []
    faults: list[DataError] = []
    for name, read in _SETS:
        path = data / FOLDER / name
        if not path.is_file():
            notes.append(f"{FOLDER}/{name} is not there: its table is left out.")
            continue
        try:
            series = read(path, counted.fit_until)
        except DataError as fault:
            faults.append(fault)
            continue
        found = scored(series, counted)
        rows += found
        if not found:
            started = f"The first {WARM_UP} days are what it starts from."
            notes.append(f"{none_counts(f'{FOLDER}/{name}', series.days)} {started}")
        if series.left_out:
            notes.append(f"{FOLDER}/{name}: {series.left_out} rows or days with a hole are left out.")
    return reported(TASK, rows, notes, faults)


def scored(series: Series, counted: Counted) -> list[Row]:
    """One row a model, over the days that count."""
    counts = counted.holds(series.days) & (np.arange(series.days.size) >= WARM_UP)
    if not counts.any():
        return []
    outcomes = series.outcomes[counts]
    winner = np.searchsorted(series.edges, outcomes, side="right")
    rows = []
    for model, said in series.models.items():
        below, bracket, crps = _predicted(said, counts, outcomes, series.edges)
        given = np.take_along_axis(bracket, winner[:, None], axis=1)[:, 0]
        won = np.arange(bracket.shape[1]) == winner[:, None]
        rows.append(
            row(
                model,
                series.group,
                series.days[counts],
                lead=series.lead,
                hour_utc=series.hour_utc,
                stretch=(below, below),
                crps=crps / BASIS_POINT,
                log_loss=-np.log(np.maximum(given, FLOOR)),
                brier=((bracket - won) ** 2).sum(axis=1),
            )
        )
    return rows


def _predicted(
    said: Said, counts: npt.NDArray[np.bool_], outcomes: Array, edges: Array
) -> tuple[Array, Array, Array]:
    """Probability below each outcome, those of its brackets, and its CRPS."""
    below, crps = np.empty(outcomes.size), np.empty(outcomes.size)
    bracket = np.empty((outcomes.size, edges.size + 1))
    shapes = np.array([shape.value for shape, here in zip(said.shapes, counts, strict=True) if here])
    deviation = said.deviation[counts]
    for shape in set(said.shapes):
        mine = np.flatnonzero(shapes == shape.value)
        width = deviation[mine]
        law = Law(shape, -0.5 * width**2, width / shape.deviation)
        below[mine], crps[mine] = law.below(outcomes[mine]), scores.crps(law, outcomes[mine])
        at_edges = Law(shape, law.location[:, None], law.scale[:, None]).below(edges[None, :])
        bracket[mine] = np.diff(at_edges, axis=1, prepend=0.0, append=1.0)
    return below, bracket, crps
