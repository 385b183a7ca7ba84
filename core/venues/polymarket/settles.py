"""What a temperature market says it settles on: day, station and whose record, read from its own text.

These markets settle on Weather Underground's history of a station, and a city's station is often not the one
a daily climate report is written for. What the text leaves open is a sentence, and
there is no fair value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from core.domain.market import Extreme
from core.domain.text import quoted

SOURCE: Final = "Weather Underground"
_DAYS_APART_MAX: Final = 3
"""Between the day an event is named by and the end it states."""

_URL: Final = re.compile(
    r"wunderground\.com/(?:history|dashboard)/[a-z0-9/_-]{1,100}?/([A-Z]{4})(?![A-Z0-9])", re.ASCII
)
_NAMED: Final = re.compile(r"\(([A-Z]{4})\)|\bstation ([A-Z]{4})\b", re.ASCII)
_SOURCED: Final = re.compile(r"\b(?:resolution )?source\b|\baccording to\b|\brecorded by\b", re.IGNORECASE)
_CELSIUS: Final = re.compile(r"°\s*C\b|\bdegrees celsius\b", re.IGNORECASE)
_EVENT: Final = re.compile(
    r"(?P<extreme>highest|lowest)-temperature-in-(?P<city>[a-z-]{1,40})-on-(?P<month>[a-z]{3,9})-(?P<day>\d{1,2})"
    r"(?:-(?P<year>\d{4}))?",
    re.ASCII,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Named(msgspec.Struct, frozen=True):
    """What an event's slug says."""

    extreme: Extreme
    city: str
    month: int
    day: int
    year: int | None

    @property
    def short(self) -> str:
        """``Nov23``."""
        return f"{_MONTHS[self.month - 1].capitalize()}{self.day:02d}"


class Settles(msgspec.Struct, frozen=True):
    """On what; without a station ``doubt`` says why there is none."""

    station: str | None = None
    day: str | None = None
    extreme: Extreme | None = None
    source: str = ""
    doubt: str = ""


def named(event: str) -> Named | None:
    """The parts of ``highest-temperature-in-miami-on-november-23-2026``; ``None`` for another event."""
    found = _EVENT.fullmatch(event)
    if found is None or found["month"][:3] not in _MONTHS:
        return None
    month = _MONTHS.index(found["month"][:3]) + 1
    extreme = Extreme.HIGH if found["extreme"] == "highest" else Extreme.LOW
    return Named(extreme, found["city"], month, int(found["day"]), int(found["year"] or 0) or None)


def settles(event: str, question: str, description: str, source: str, end_ms: int) -> Settles:
    """Read a market's texts as they were sent; ``end_ms`` is the end it states."""
    what = named(event)
    if what is None:
        return Settles()
    day = _day(what, end_ms)
    if day is None:
        return Settles(doubt="its name and its end are of different days")
    text = f"{description}\n{source}"
    if _CELSIUS.search(f"{question}\n{text}") is not None:
        return Settles(doubt="settles in degrees Celsius, which no model here does")
    pages = set(_URL.findall(text))
    if not pages:
        told = quoted(text, named_at.start()) if (named_at := _SOURCED.search(text)) else ""
        return Settles(doubt=f"its text does not name a station's page at {SOURCE} as its source{told}")
    stations = sorted(pages | {first or second for first, second in _NAMED.findall(text)})
    if len(stations) > 1:
        told = quoted(text, text.find(next(one for one in stations if one not in pages or len(pages) > 1)))
        return Settles(doubt=f"its text names the stations {' and '.join(stations[:3])}{told}")
    return Settles(stations[0], day.isoformat(), what.extreme, SOURCE)


def _day(what: Named, end_ms: int) -> date | None:
    """The day meant: its year is the one nearest to the end where the name leaves it out."""
    end = datetime.fromtimestamp(end_ms / 1_000, UTC).date()
    for year in (what.year,) if what.year is not None else (end.year - 1, end.year, end.year + 1):
        try:
            day = date(year, what.month, what.day)
        except ValueError:  # there is no such day in that year
            continue
        if abs((end - day).days) <= _DAYS_APART_MAX:
            return day
    return None
