"""The calendar as a table: what ships of the FOMC's meetings, and what the operator writes.

``# checked 2026-11-22`` (when the dates were last compared with their publisher's), then a header and a
release a line: ``CPI,2026-12-10 08:30`` in New York's time. A date without a time of day gets the kind's
usual one; a third column may say ``tentative``.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, time

import msgspec

from core.domain.text import clean_text
from core.feeds.calendar.eastern import eastern_ms
from core.feeds.calendar.kinds import NAMES, kind_named
from core.feeds.releases import Certainty, Due

ROWS_MAX = 2_000
HEADER = ["kind", "when_et", "certainty"]
_CHECKED = re.compile(r"#\s*checked\s+(\d{4}-\d{2}-\d{2})\s*", re.ASCII)
_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?", re.ASCII)


class Table(msgspec.Struct, frozen=True):
    """What one file says. ``checked_ms`` is the begin of that day in New York."""

    checked_ms: int
    due: tuple[Due, ...]


def parse_table(text: str, name: str) -> Table | str:
    """The file, or file, line, fault and remedy in a sentence; ``name`` is both file's and source's."""
    lines = text.lstrip("\ufeff").splitlines()
    checked = _CHECKED.fullmatch(lines[0]) if lines else None
    checked_on = _date(checked[1]) if checked is not None else None
    if checked_on is None:
        what = "does not say when these dates were last compared with their publisher's"
        return f"{name}:1: the first line {what}: write '# checked 2026-11-22'"
    due: list[Due] = []
    headed = False
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if number > ROWS_MAX:
            return f"{name}:{number}: more than {ROWS_MAX} lines: leave out what is past"
        fields = _fields(line)
        if not headed:
            if [field.lower() for field in fields] not in (HEADER, HEADER[:2]):
                return f"{name}:{number}: the columns have no names: write '{','.join(HEADER)}' above them"
            headed = True
            continue
        row = _row(fields)
        if isinstance(row, str):
            return f"{name}:{number}: {row}"
        due.append(msgspec.structs.replace(row, source=name))
    return Table(eastern_ms(checked_on, time()), tuple(due))


def _fields(line: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line]), [])]
    except csv.Error:
        return []


def _row(fields: list[str]) -> Due | str:
    if len(fields) not in (2, 3):
        return f"{len(fields)} columns: write kind and time, such as 'CPI,2026-12-10 08:30'"
    kind = kind_named(fields[0])
    if kind is None:
        return f"{clean_text(fields[0], 40)!r} is no kind of release: use {', '.join(NAMES)}"
    when = _WHEN.fullmatch(fields[1])
    day = _date(when[1]) if when is not None else None
    at = _time(when[2]) if when is not None and when[2] else kind.usual
    if when is None or day is None or at is None:
        shown = clean_text(fields[1], 40)
        return f"{shown!r} is no time in New York: write '2026-12-10 08:30', or the date alone"
    certainty = Certainty.STATED if when[2] else Certainty.USUAL
    mark = fields[2].lower() if len(fields) == 3 else ""
    if mark == Certainty.TENTATIVE.value:
        certainty = Certainty.TENTATIVE
    elif mark not in ("", Certainty.STATED.value):
        return f"{clean_text(mark, 40)!r} is no certainty: write 'tentative', or nothing"
    return Due(kind.name, eastern_ms(day, at), certainty, "")


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1971 <= day.year < 2200 else None


def _time(text: str) -> time | None:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - New York's, by the column's name
    except ValueError:
        return None
