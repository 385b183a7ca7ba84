"""The operator's views of figures to come as a table, ``release-views.csv``.

A header and a view a line: ``CPI,2026-12-10,consensus,0.3,0.08,Bloomberg survey,2026-12-07``. The deviation
may be empty. Of two lines for the same figure, release and centre the later one counts; none is ever taken
away, as the earlier ones tell how good such views were.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date

from core.domain.text import clean_text
from core.feeds.releases import Centre, View

FILE = "release-views.csv"
HEADER = ("kind", "release_date", "centre", "value", "sd", "source", "entered")
KINDS = ("CPI", "CPI-CORE", "CPI-YOY", "JOBS", "U3", "GDP", "FOMC")
"""Figures: CPI, without food and energy, and over a year, percent; thousand jobs; unemployment, percent; GDP,
percent a year; the upper end of the federal funds target, percent."""
ROWS_MAX = 5_000
SOURCE_MAX = 80
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_views(text: str, name: str, today: str) -> tuple[View, ...] | str:
    """The file as of New York's ``today``, or file, line, fault and remedy in a sentence."""
    found: list[View] = []
    headed = False
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if number > ROWS_MAX:
            return f"{name}:{number}: more than {ROWS_MAX} lines: move the oldest to another file"
        fields = _fields(line)
        if not headed:
            if tuple(field.lower() for field in fields) != HEADER:
                return f"{name}:{number}: the columns have no names: write '{','.join(HEADER)}' above them"
            headed = True
            continue
        row = read_view(fields, today)
        if isinstance(row, str):
            return f"{name}:{number}: {row}"
        found.append(row)
    return tuple(found)


def read_view(fields: Sequence[str], today: str) -> View | str:
    """One view of its seven fields, or what is wrong with it and how it is written."""
    if len(fields) != len(HEADER):
        return f"{len(fields)} columns instead of {len(HEADER)}: write {','.join(HEADER)}"
    kind, released, centre, value, sd, source, entered = (field.strip() for field in fields)
    if kind.upper() not in KINDS:
        return f"{clean_text(kind, 20)!r} is no figure: use {', '.join(KINDS)}"
    for day, what in ((released, "a release"), (entered, "its entry")):
        if not _is_day(day):
            return f"{clean_text(day, 20)!r} is no date of {what}: write such as 2026-12-10"
    if entered > today:
        return f"it was entered on {entered}, which is still to come: write the day on which it was"
    if entered > released:
        return f"it was entered on {entered}, after the release of {released}: correct one of them"
    centres = {one.value: one for one in Centre}
    if centre.lower() not in centres:
        return f"{clean_text(centre, 20)!r} is no centre: use {', '.join(centres)}"
    if not _NUMBER.fullmatch(value):
        return f"{clean_text(value, 20)!r} is no value: write such as 0.3"
    if sd and not (_NUMBER.fullmatch(sd) and float(sd) > 0):
        return f"{clean_text(sd, 20)!r} is no deviation: write a number above 0, or nothing"
    told = clean_text(source, SOURCE_MAX)
    if not told:
        return "it names no source: say where it is from, such as 'Bloomberg survey'"
    return View(
        kind.upper(),
        released,
        centres[centre.lower()],
        float(value),
        float(sd) if sd else None,
        told,
        entered,
    )


def written(view: View) -> str:
    """Its line of the file, without an end."""
    sd = f"{view.sd:.10g}" if view.sd is not None else ""
    fields = (
        view.kind,
        view.released,
        view.centre.value,
        f"{view.value:.10g}",
        sd,
        view.source,
        view.entered,
    )
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _fields(line: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line]), [])]
    except csv.Error:
        return []


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and 1971 <= date.fromisoformat(text).year < 2200
    except ValueError:
        return False
