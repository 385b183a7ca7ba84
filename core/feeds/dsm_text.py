"""Reads daily summary messages (DSM): what a station's machine says of its own climate day.

``KNYC DS 22/11 541341/ 410639// ...=`` is 54 at 13:41 and 41 at 06:39 standard time. With an hour after
``DS`` the message has seen the day up to then only. No year is written: the nearest one is meant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from core.feeds.sanity import plausible

TEXT_CHARS_MAX: Final = 100_000

_TIMED: Final = r"(?:M|(-?\d{1,3})(?:[01]\d|2[0-3])[0-5]\d)"
"""Degrees and the time they were seen at: figures that end in no time of day have lost one."""
_MESSAGE: Final = re.compile(
    r"\b([A-Z][A-Z0-9]{3}) {1,3}DS {1,3}(COR {1,3})?(?:(\d{2})(\d{2}) {1,3})?(COR {1,3})?"
    rf"(\d{{2}})/(\d{{2}}) {{1,3}}{_TIMED}/ {{0,3}}{_TIMED}//",
    re.ASCII,
)


class DsmSummary(msgspec.Struct, frozen=True):
    """One message. ``day`` is the climate day, ``until_minute`` of it what was seen; ``None``: all of it."""

    station: str
    day: str
    until_minute: int | None
    corrected: bool
    max_f: int | None
    min_f: int | None


def parse_dsm(text: str, now_ms: int) -> tuple[DsmSummary, ...]:
    """Every message in one text, in its order; ``now_ms`` tells the year."""
    clean = re.sub(r"[\x00-\x1f]+", " ", text[:TEXT_CHARS_MAX])
    found = []
    for match in _MESSAGE.finditer(clean):
        station, before, hour, minute, after, day, month, high, low = match.groups()
        named = _day(int(month), int(day), now_ms)
        seen = None if hour is None else int(hour) * 60 + int(minute)
        if named is None or (seen is not None and not (int(hour) < 24 and int(minute) < 60)):
            continue
        max_f, min_f = _degrees(high), _degrees(low)
        if max_f is not None and min_f is not None and min_f > max_f:
            continue
        found.append(DsmSummary(station, named, seen, bool(before or after), max_f, min_f))
    return tuple(found)


def _degrees(text: str | None) -> int | None:
    return int(text) if text is not None and plausible(int(text)) else None


def _day(month: int, day: int, now_ms: int) -> str | None:
    """The date nearest to now."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    dates = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            dates.append(date(year, month, day))
        except ValueError:  # there is no such day in that year
            continue
    nearest = min(dates, key=lambda one: abs((one - today).days), default=None)
    return nearest.isoformat() if nearest is not None else None
