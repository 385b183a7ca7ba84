"""The daily climate report (CLI) as text, and the list a client finds it through.

The layout is the fixed-width one of the National Weather Service; normals and records are left blank
because the simulated world has none.
"""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from core.sim.feeds.nws import Document, iso, report_days
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS, Observation, Weather, day_start_ms, half_up

_PRELIMINARY_MS = 16 * HOUR_MS + 35 * 60_000
"""After local standard midnight."""

_RULE = "." * 66


_CORRECTED_AFTER_MS = 95 * 60_000
_CORRECTED_SHARE, _WITHOUT_VALUE_SHARE = 0.05, 0.003
"""Of days: those whose final is issued again, and those whose first final holds no maximum."""


class Quirks(msgspec.Struct):
    """What is odd about the reports beyond what happens by itself, until somebody ends it."""

    off_f: int = 0
    """Every first final is wrong by this much, and corrected later."""
    without_value: bool = False
    """Every first final comes without a maximum, and is corrected later."""


class Report(msgspec.Struct, frozen=True):
    """One issue of one day's report."""

    identity: str
    station: Station
    day: date
    issued_ms: int
    final: bool
    corrected: bool = False
    off_f: int | None = 0
    """Degrees its maximum lies off what was seen; ``None``: it holds none."""


def reports(weather: Weather, station: Station, now_ms: int, odd: Quirks | None = None) -> list[Report]:
    """Reports out by now, newest first: a preliminary one in the afternoon, the final after the day, now
    and then its correction."""
    found = []
    odd = odd or Quirks()
    for day in report_days(weather, station, now_ms):
        hour, minute = (int(x) for x in station.cli_final_utc.split(":"))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        final_ms = int(midnight.timestamp()) * 1000 + hour * HOUR_MS + minute * 60_000
        drawn = random.Random(f"{weather.seed}|cli|{station.cli}|{weather.calendar.original(day)}").random()
        missing = odd.without_value or drawn < _WITHOUT_VALUE_SHARE
        again = missing or odd.off_f != 0 or drawn < _CORRECTED_SHARE
        issues = [
            (final_ms + _CORRECTED_AFTER_MS, True, True, 0),
            (final_ms, True, False, None if missing else odd.off_f),
            (day_start_ms(station, day) + _PRELIMINARY_MS, False, False, 0),
        ]
        for issued_ms, final, corrected, off_f in issues if again else issues[1:]:
            if issued_ms <= now_ms:
                kind = f"{station.cli}{day}{final}{'corrected' if corrected else ''}"
                digest = hashlib.md5(kind.encode(), usedforsecurity=False).hexdigest()
                identity = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))
                found.append(Report(identity, station, day, issued_ms, final, corrected, off_f))
    return found


def listing(base: str, found: list[Report], now_ms: int) -> Document:
    """``/products/types/CLI/locations/{id}``."""
    body = {"@context": {"@version": "1.1"}, "@graph": [_entry(base, report) for report in found]}
    return Document(lambda: body, found[0].issued_ms if found else now_ms, "application/ld+json")


def product(base: str, weather: Weather, report: Report) -> Document:
    """``/products/{id}``: the entry with its text."""
    body = {"@context": {"@version": "1.1"}, **_entry(base, report), "productText": text(weather, report)}
    return Document(lambda: body, report.issued_ms, "application/ld+json")


def _entry(base: str, report: Report) -> dict[str, Any]:
    return {
        "@id": f"{base}/products/{report.identity}",
        "id": report.identity,
        "wmoCollectiveId": report.station.wmo_header,
        "issuingOffice": f"K{report.station.wfo}",
        "issuanceTime": iso(report.issued_ms),
        "productCode": "CLI",
        "productName": "Climatological Report (Daily)",
    }


def text(weather: Weather, report: Report) -> str:
    """The product as transmitted. A preliminary one covers the day up to 16:00 local standard time."""
    station, offset = report.station, report.station.lst_offset_h
    issued = datetime.fromtimestamp(report.issued_ms / 1000, UTC)
    local = issued + timedelta(hours=offset)
    until = report.issued_ms if report.final else day_start_ms(station, report.day) + 16 * HOUR_MS
    seen = weather.reported_of(station.icao, report.day, until)
    high, low = max(seen, key=lambda o: o.temp_f), min(seen, key=lambda o: o.temp_f)
    average = half_up((half_up(high.temp_f) + half_up(low.temp_f)) / 2)
    day = f"{report.day:%B} {report.day.day} {report.day.year}".upper()
    lines = [
        "000 ",
        f"{station.wmo_header} K{station.wfo} {issued:%d%H%M}{' CCA' if report.corrected else ''}",
        station.cli,
        "",
        "CLIMATE REPORT" + ("...CORRECTED" if report.corrected else ""),
        f"NATIONAL WEATHER SERVICE {station.wfo_city}",
        f"{_clock(local)} {station.zone} {local:%a %b} {local.day} {local.year}".upper(),
        "",
        "...................................",
        "",
        f"...THE {station.place} CLIMATE SUMMARY FOR {day}...",
        *([] if report.final else ["VALID TODAY AS OF 0400 PM LOCAL TIME."]),
        "",
        "WEATHER ITEM   OBSERVED TIME   RECORD YEAR NORMAL DEPARTURE LAST",
        "                VALUE   (LST)  VALUE       VALUE  FROM      YEAR",
        _RULE,
        "TEMPERATURE (F)",
        " YESTERDAY" if report.final else " TODAY",
        _row("MAXIMUM", high, offset, report.off_f),
        _row("MINIMUM", low, offset),
        f"  AVERAGE       {average:4d}",
        _RULE,
        "",
        "-  INDICATES NEGATIVE NUMBERS.",
        "R  INDICATES RECORD WAS SET OR TIED.",
        "MM INDICATES DATA IS MISSING.",
        "T  INDICATES TRACE AMOUNT.",
        "",
        "$$",
        "",
    ]
    return "\n".join(lines)


def _row(name: str, seen: Observation, offset_h: int, off_f: int | None = 0) -> str:
    if off_f is None:
        return f"  {name}         MM        MM"
    local = datetime.fromtimestamp(seen.at_ms / 1000 + offset_h * 3600, UTC)
    return f"  {name}       {half_up(seen.temp_f) + off_f:4d} {_clock(local):>9}"


def _clock(local: datetime) -> str:
    """``141 PM``: the service writes no colon and no leading zero."""
    return f"{local.hour % 12 or 12}{local:%M %p}"
