"""The range task: brackets of index, currency and coin returns, scored day by day.

CRPS is in basis points of return. A series' rows all count the same days.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from core.models import scores
from core.models.evaluation.range_files import daily, hourly
from core.models.evaluation.range_series import Said, Series, btcusd, eurusd, spx, spy
from core.models.laws import Array, Law

FOLDER = "fx_index_crypto"
WARM_UP = 60
"""Days that must have been seen before the first one counts."""
FLOOR = 1e-4
"""Of the probability of the bracket that won, for the log loss."""
BASIS_POINT = 1e-4


class Row(msgspec.Struct, frozen=True):
    model: str
    lead: int | None
    hour_utc: int | None
    group: str
    n: int
    days: int
    crps: float | None
    log_loss: float | None
    brier: float | None
    cov50: float | None
    cov80: float | None
    cov90: float | None
    pit_ks: float | None


class Counted(msgspec.Struct, frozen=True):
    """Which days count, both ends inclusive, and the last a fit may see; proleptic ordinals."""

    first: int | None = None
    last: int | None = None
    fit_until: int | None = None


_SETS: tuple[tuple[str, Callable[[Path, int | None], Series]], ...] = (
    ("spx_vix_daily.csv", lambda path, until: spx(daily(path, ("spx_close", "vix_close")), until)),
    ("spy_hourly.csv.gz", lambda path, until: spy(hourly(path), until)),
    ("eurusd_hourly.csv.gz", lambda path, until: eurusd(hourly(path), until)),
    ("btcusd_daily.csv", lambda path, until: btcusd(daily(path, ("close",)), until)),
)


def score(folder: Path, counted: Counted) -> tuple[list[Row], list[str]]:
    """Rows of every history under ``folder``, and a sentence for each that is missing or of no use. Raises
    ``RowError`` for a file with a wrong row."""
    rows: list[Row] = []
    notes: list[str] = []
    for name, read in _SETS:
        path = folder / FOLDER / name
        if not path.is_file():
            notes.append(f"{FOLDER}/{name} is not there: its table is left out.")
            continue
        series = read(path, counted.fit_until)
        found = rows_of(series, counted)
        rows += found
        if not found:
            notes.append(f"{FOLDER}/{name}: no day of it counts (the first {WARM_UP} are for a start).")
        if series.left_out:
            notes.append(f"{FOLDER}/{name}: {series.left_out} rows or days with a hole are left out.")
    return rows, notes


def rows_of(series: Series, counted: Counted) -> list[Row]:
    """One row a model, over the days that count."""
    counts = np.arange(series.days.size) >= WARM_UP
    counts &= series.days >= (counted.first if counted.first is not None else 0)
    counts &= series.days <= (counted.last if counted.last is not None else np.iinfo(np.int64).max)
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
            Row(
                model=model,
                lead=series.lead,
                hour_utc=series.hour_utc,
                group=series.group,
                n=outcomes.size,
                days=int(np.unique(series.days[counts]).size),
                crps=float(crps.mean()) / BASIS_POINT,
                log_loss=float(-np.log(np.maximum(given, FLOOR)).mean()),
                brier=float(((bracket - won) ** 2).sum(axis=1).mean()),
                cov50=float(scores.covered(below, below, 0.5).mean()),
                cov80=float(scores.covered(below, below, 0.8).mean()),
                cov90=float(scores.covered(below, below, 0.9).mean()),
                pit_ks=scores.kolmogorov(below, below),
            )
        )
    return rows


def _predicted(
    said: Said, counts: np.ndarray[tuple[int], np.dtype[np.bool_]], outcomes: Array, edges: Array
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
