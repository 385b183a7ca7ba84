"""What a scoring task reports: one row for each model, lead, hour and group, as a table and as JSON."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.models import scores
from core.models.laws import Array

Days = npt.NDArray[np.int64]
"""Proleptic ordinals, as ``date.toordinal`` gives them."""

DEFAULT = "default"
"""Name of the model the product would use."""
ALL = "all"
"""Group of everything that is scored together."""


class DataError(Exception):
    """Data that cannot be scored; the text names file, line and remedy in one sentence."""


class Counted(msgspec.Struct, frozen=True):
    """Which days count, both ends inclusive, and the last whose outcome a fit may see; ordinals."""

    first: int | None = None
    last: int | None = None
    fit_until: int | None = None

    def holds(self, days: Days) -> npt.NDArray[np.bool_]:
        held = np.ones(days.shape, dtype=np.bool_)
        if self.first is not None:
            held &= days >= self.first
        if self.last is not None:
            held &= days <= self.last
        return held


class Row(msgspec.Struct, frozen=True):
    """Scores of one model; what was not measured is ``None``. CRPS is in the outcome's unit."""

    model: str
    lead: int | None
    hour_utc: int | None
    group: str
    n: int
    days: int
    crps: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    cov50: float | None = None
    cov80: float | None = None
    cov90: float | None = None
    pit_ks: float | None = None
    errors: dict[str, float | None] = {}
    """One standard error of a mean by its name, days being the independent units; not part of the JSON."""


class Reliability(msgspec.Struct, frozen=True):
    """How often contracts of like probability by the default paid, at one hour."""

    hour_utc: int
    bins: tuple[scores.Bin, ...]


class Report(msgspec.Struct, frozen=True):
    task: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What was left out and why, a sentence each."""
    reliability: tuple[Reliability, ...] = ()
    """Not part of the JSON."""


def reported(task: str, rows: Sequence[Row], notes: Sequence[str], faults: Sequence[DataError]) -> Report:
    """A set that cannot be scored is told beside the rows of the others; raises its ``DataError`` where
    there are none."""
    if faults and not rows:
        raise faults[0]
    return Report(task, tuple(rows), (*notes, *(f"{fault} Its table is left out." for fault in faults)))


def row(
    model: str,
    group: str,
    days: Days,
    *,
    lead: int | None = None,
    hour_utc: int | None = None,
    stretch: tuple[Array, Array] | None = None,
    **measured: Array,
) -> Row:
    """Means of what was ``measured`` (``crps``, ``log_loss``, ``brier``: one number an outcome) and the
    calibration of the outcomes' ``stretch`` of probability (``scores.stretch``). Needs one outcome."""
    means = {name: scores.by_day(values, days) for name, values in measured.items()}
    calibration: dict[str, float] = {}
    if stretch is not None:
        for level in (50, 80, 90):
            calibration[f"cov{level}"] = float(scores.covered(*stretch, level / 100).mean())
        calibration["pit_ks"] = scores.kolmogorov(*stretch)
    return Row(
        model=model,
        lead=lead,
        hour_utc=hour_utc,
        group=group,
        n=int(days.size),
        days=int(np.unique(days).size),
        **{name: mean.value for name, mean in means.items()},
        **calibration,
        errors={name: mean.se for name, mean in means.items()},
    )


def document(report: Report) -> dict[str, Any]:
    """The report for ``--json``."""
    fields = [name for name in Row.__struct_fields__ if name != "errors"]
    return {"task": report.task, "rows": [{name: getattr(r, name) for name in fields} for r in report.rows]}


_MEASURES = (
    ("crps", 3),
    ("log_loss", 3),
    ("brier", 3),
    ("cov50", 2),
    ("cov80", 2),
    ("cov90", 2),
    ("pit_ks", 3),
)


def table(report: Report) -> Iterator[str]:
    """The report for a terminal: all models of what is scored together by lead and hour, then the default of
    each group in it; the notes last."""
    for (lead, hour), found in itertools.groupby(report.rows, key=lambda r: (r.lead, r.hour_utc)):
        rows = list(found)
        together = [r for r in rows if r.group == ALL]
        when = [*([] if lead is None else [f"lead {lead}"]), *([] if hour is None else [hour_text(hour)])]
        groups = [r.group for r in rows] if not together else [ALL]
        for group in dict.fromkeys(groups):
            yield f"{report.task}: {', '.join((group, *when))}"
            yield from _block([r for r in rows if r.group == group], "model")
        if together:
            yield from _block([r for r in rows if r.model == DEFAULT and r.group != ALL], "group")
        yield from (
            line for told in report.reliability if told.hour_utc == hour for line in plotted(told.bins)
        )
    yield from report.notes


_PLOT_WIDTH = 51
"""Columns, two percent each."""


def plotted(bins: Sequence[scores.Bin]) -> Iterator[str]:
    """Lines of a reliability diagram: what happened with its 95 % interval, and ``+`` where it was to be."""
    yield f"  {'said':>8}  {'happened':>8}  {'contracts':>9}  0%{'100%':>{_PLOT_WIDTH - 2}}"
    for one in bins:
        line = [" "] * _PLOT_WIDTH
        low, high = _column(one.happened_low), _column(one.happened_high)
        line[low : high + 1] = "-" * (high + 1 - low)
        line[_column(one.said)] = "+"
        line[_column(one.happened)] = "o"
        yield f"  {one.said:8.1%}  {one.happened:8.1%}  {one.count:9}  {''.join(line).rstrip()}"
    yield f"  on average {scores.calibration_error(bins):.1%} apart"
    yield ""


def _column(share: float) -> int:
    return round(share * (_PLOT_WIDTH - 1))


def _block(rows: list[Row], named: str) -> Iterator[str]:
    """Lines of one table and an empty one; none without rows. ``named`` is what tells rows apart."""
    if not rows:
        return
    shown = [(name, digits) for name, digits in _MEASURES if any(getattr(r, name) is not None for r in rows)]
    lines = [[named if named == "model" else f"{DEFAULT} of", "n", "days", *(name for name, _ in shown)]]
    lines += [
        [getattr(r, named), str(r.n), str(r.days), *(_cell(r, *measure) for measure in shown)] for r in rows
    ]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    for line in lines:
        numbers = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        yield f"  {line[0]:<{widths[0]}}  {'  '.join(numbers)}"
    yield ""


def _cell(scored: Row, name: str, digits: int) -> str:
    value: float | None = getattr(scored, name)
    if value is None:
        return "-"
    error = scored.errors.get(name)
    return f"{value:.{digits}f}" + (f" ±{error:.{digits}f}" if error is not None else "")


def hour_text(hour_utc: int) -> str:
    """Hours count from midnight UTC of the day: those before are of the day before."""
    return f"{hour_utc % 24:02d}:00 UTC" + (" the day before" if hour_utc < 0 else "")


def none_counts(name: str, days: Days) -> str:
    """A sentence on a set of which no row came."""
    held = "no day" if not days.size else f"{day_text(int(days.min()))} to {day_text(int(days.max()))}"
    return f"{name} holds {held}: none of it counts."


def day_text(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()
