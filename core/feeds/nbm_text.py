"""Station guidance as a table for people, and from rows of any form to extremes by climate day.

Columns are read by where the numbers of the forecast-hour line end: fields of three characters may touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from core.feeds.sanity import dated, plausible
from core.feeds.stations import HOUR_MS, Station, climate_day, lst
from core.feeds.values import Guessed

TEXT_CHARS_MAX: Final = 2_000_000
LINES_MAX: Final = 80
"""Of one station's table."""
SPREAD_F_MAX: Final = 30
MISSING: Final = frozenset({"", "M", "999", "-99", "None", "null"})

_HEADING: Final = re.compile(
    r"^ ?([A-Z0-9_]{3,8}) +NBM V\d\.\d (NBS|NBE) GUIDANCE +(\d{1,2})/(\d{1,2})/(\d{4}) +(\d{4}) UTC",
    re.ASCII | re.MULTILINE,
)
_EXTREMES: Final = ("TXN", "N/X")
_SPREAD: Final = "XND"


class GuidanceRow(msgspec.Struct, frozen=True):
    """One forecast time with its extreme and spread as they were written."""

    at_ms: int
    txn: float | str | None
    xnd: float | str | None = None


class StationTable(msgspec.Struct, frozen=True):
    """One station's part of a product."""

    station: str
    model: str
    run_ms: int
    rows: tuple[GuidanceRow, ...]


def parse_tables(text: str) -> tuple[StationTable, ...]:
    """Every station's table in one product that can be read."""
    clean = re.sub(r"[\x00-\x08\x0b-\x1f]", "", text[:TEXT_CHARS_MAX].replace("\r", ""))
    heads = list(_HEADING.finditer(clean))
    found = []
    for index, head in enumerate(heads):
        end = heads[index + 1].start() if index + 1 < len(heads) else len(clean)
        station, model, month, day, year, hhmm = head.groups()
        try:
            run = datetime(int(year), int(month), int(day), int(hhmm[:2]), int(hhmm[2:]), tzinfo=UTC)
        except ValueError:
            continue
        run_ms = int(run.timestamp()) * 1000
        lines = clean[head.end() : end].split("\n")[:LINES_MAX]
        if dated(run_ms):
            found.append(StationTable(station, model, run_ms, _rows(lines, run_ms)))
    return tuple(found)


def by_day(rows: Iterable[GuidanceRow], station: Station) -> tuple[dict[str, Guessed], dict[str, Guessed]]:
    """Daytime maxima and night minima by climate day.

    A maximum stands at an hour of the local afternoon or evening, a minimum at one of the morning; both
    belong to the climate day of that hour.
    """
    highs: dict[str, Guessed] = {}
    lows: dict[str, Guessed] = {}
    for row in rows:
        f, spread = whole(row.txn), whole(row.xnd)
        if f is None or not plausible(f) or not dated(row.at_ms):
            continue
        if spread is not None and not 0 <= spread <= SPREAD_F_MAX:
            spread = None
        side = highs if lst(station, row.at_ms).hour >= 12 else lows
        side[climate_day(station, row.at_ms)] = Guessed(f, spread)
    return highs, lows


def whole(value: float | str | None) -> int | None:
    """A whole number as it was written; ``None`` for a missing one."""
    if value is None or (isinstance(value, str) and value.strip() in MISSING):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if abs(number) < 998 and number == int(number) else None


def utc_ms(text: str | None) -> int | None:
    """An ISO time in UTC, with or without saying so, in Unix milliseconds."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    at_ms = int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()) * 1000
    return at_ms if dated(at_ms) else None


def _rows(lines: list[str], run_ms: int) -> tuple[GuidanceRow, ...]:
    hours = next((line for line in lines if line.startswith(" FHR") or line.startswith("FHR")), "")
    ends = [match.end() for match in re.finditer(r"\d+", hours)]
    leads = [int(match.group()) for match in re.finditer(r"\d+", hours)]
    extremes = next((line for line in lines if line.strip()[:3] in _EXTREMES), "")
    spreads = next((line for line in lines if line.strip()[:3] == _SPREAD), "")
    rows, begin = [], 4
    for lead, end in zip(leads, ends, strict=True):
        txn, xnd = (line[max(begin, end - 3) : end].strip(" |") for line in (extremes, spreads))
        if txn and 0 <= lead <= 400:
            rows.append(GuidanceRow(run_ms + lead * HOUR_MS, txn, xnd))
        begin = end
    return tuple(rows)
