"""The weather task: daily highs predicted at each lead, scored against the settled whole degrees.

Log loss is that of the whole degree that came (floored); coverage and PIT share out its stretch of
probability. All models of a table count the same city-days: those of which the forecast, its issue a day
earlier (where the set has that lead) and the outcome are known, and of which the default says something. A
model that needs a longer past than that counts fewer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.models.evaluation.law_rows import law_rows
from core.models.evaluation.rows import Counted, DataError, Report, Row, none_counts, reported
from core.models.evaluation.short_lead import short_rows
from core.models.evaluation.weather_files import LEADS, SHORT, LeadSet, lead_set, short_set
from core.models.evaluation.weather_gaps import gaps
from core.models.evaluation.weather_laws import dressed, laws, steps_of
from core.models.weather import dressing

TASK = "weather"


def score(directory: Path, counted: Counted) -> Report:
    """Rows of every set under ``directory``. Raises ``DataError`` where a wrong file leaves none."""
    rows: list[Row] = []
    notes: list[str] = []
    faults: list[DataError] = []
    for name, rows_of in ((LEADS, _of_leads), (SHORT, _of_short)):
        if not (directory / name).is_dir():
            notes.append(f"{name} is not there: its table is left out.")
            continue
        try:
            found, told = rows_of(directory / name, counted)
        except DataError as fault:
            faults.append(fault)
            continue
        rows, notes = rows + found, notes + told
    return reported(TASK, rows, notes, faults)


def _of_leads(folder: Path, counted: Counted) -> tuple[list[Row], list[str]]:
    data = lead_set(folder)
    scored = {lead: lead_rows(data, lead, counted) for lead in range(data.highs.shape[1])}
    notes = [*_without_rows(data, scored), *_gaps(data, scored, counted)]
    if not data.guidance:
        notes.append(f"{LEADS} has no nbm_hrrr.csv: the default rests on one source everywhere.")
    return list(itertools.chain.from_iterable(scored.values())), notes


def _of_short(folder: Path, counted: Counted) -> tuple[list[Row], list[str]]:
    return short_rows(short_set(folder), counted)


def _without_rows(data: LeadSet, scored: Mapping[int, Sequence[Row]]) -> list[str]:
    if not any(scored.values()):
        return [none_counts(LEADS, data.days)]
    return [
        f"{LEADS}: no day counts at lead {lead}, it has no forecast with the issue before it and an outcome."
        for lead, found in scored.items()
        if not found
    ]


def _gaps(data: LeadSet, scored: Mapping[int, Sequence[Row]], counted: Counted) -> Iterator[str]:
    """Leads with the same gap together."""
    found: dict[str, list[str]] = {}
    held = np.broadcast_to(counted.holds(data.days), data.outcomes.shape)
    for lead in (lead for lead, rows in scored.items() if rows):
        others = {name: highs[:, lead] for name, highs in data.guidance.items() if lead < highs.shape[1]}
        for gap in gaps(held, data.outcomes, forecast(data, lead), data.highs[:, lead], others):
            found.setdefault(gap, []).append(str(lead))
    for gap, leads in found.items():
        yield f"{LEADS}, city-days at lead {', '.join(leads)}: {gap}."


def lead_rows(data: LeadSet, lead: int, counted: Counted) -> list[Row]:
    """Rows of one lead."""
    counts = comparable(data, lead) & counted.holds(data.days)
    if not counts.any():
        return []
    said = laws(data, lead, counted)
    members = {dressing.NAME: dressed(data, lead, steps_of(data.days, counted, lead))}
    return law_rows({**members, **said}, data.cities, data.days, data.outcomes, counts, lead)


def comparable(data: LeadSet, lead: int) -> npt.NDArray[np.bool_]:
    """City-days on which the forecast, its issue a day earlier and the outcome are known."""
    return forecast(data, lead) & np.isfinite(data.outcomes)


def forecast(data: LeadSet, lead: int) -> npt.NDArray[np.bool_]:
    """City-days on which the forecast is known, and the issue before it where the city had such by then."""
    known = np.isfinite(data.highs[:, lead])
    if lead + 1 < data.highs.shape[1]:
        earlier = np.isfinite(data.highs[:, lead + 1])
        known &= earlier | ~np.logical_or.accumulate(earlier, axis=1)
    return known
