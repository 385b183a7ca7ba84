"""What each past day became: the figure its markets settled on, else the final climate report's.

Markets settle on what the exchange read when it counted; archives are revised afterwards, by one to three
degrees on one day in fifty. Where no market of a day names this station, its final climate report stands in
once no settlement can come any more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from core.domain.market import Extreme, MarketStatus, settled_f
from core.domain.text import clean_text
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.nbm_text import utc_ms
from core.feeds.sanity import plausible
from core.feeds.stations import Station, climate_day
from core.training.archive import OUTCOMES, REPORTED, SETTLED, Figures, Key
from core.training.asks import Ask, Days, Found, Provider
from core.venues.kalshi import series as names
from core.venues.kalshi.settles import settles

SETTLES_WITHIN_DAYS: Final = 8
"""After the day; the rules give a week."""
PAGE: Final = 1_000
PAGES_MAX: Final = 40
YEAR_ROWS_MAX: Final = 400
_ISSUED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})-", re.ASCII)
"""Begins the name of a text product: when it was issued, UTC."""


class MarketRow(msgspec.Struct, frozen=True):
    """A settled market, as far as its outcome goes."""

    ticker: str
    event_ticker: str
    status: str = ""
    expiration_value: str | None = None
    rules_primary: str = ""
    rules_secondary: str = ""


class MarketRows(msgspec.Struct, frozen=True):
    markets: tuple[MarketRow, ...] = ()
    cursor: str = ""


class ReportRow(msgspec.Struct, frozen=True):
    """One day of a station's climate reports."""

    station: str
    valid: str
    product: str | None = None
    high: float | str | None = None
    low: float | str | None = None


class ReportRows(msgspec.Struct, frozen=True):
    results: tuple[ReportRow, ...] = ()


def plan(station: Station, days: Sequence[str], held: Figures, today: date) -> list[Ask]:
    """The questions for the days whose outcome is not held; the exchange's come first, and a report is asked
    for only where no settlement can come any more."""
    found: list[Ask] = []
    unreported: set[tuple[str, Extreme]] = set()
    for extreme, series in ((Extreme.HIGH, station.high_series), (Extreme.LOW, station.low_series)):
        missing = [day for day in days if not has_outcome(held, day, extreme)]
        if series and missing:
            found.append(_settlements(station, series, extreme, missing))
        waits_days = SETTLES_WITHIN_DAYS if series else 0
        unreported |= {
            (day, extreme) for day in missing if (today - date.fromisoformat(day)).days > waits_days
        }
    years = sorted({date.fromisoformat(day).year for day, _ in unreported})
    return found + [
        _reports(station, year, [one for one in unreported if one[0].startswith(str(year))]) for year in years
    ]


def has_outcome(held: Figures, day: str, extreme: Extreme) -> bool:
    return any(held.get(Key(day, extreme, None, source)) is not None for source in OUTCOMES)


def _span(days: Sequence[str]) -> Days:
    return Days(date.fromisoformat(min(days)), date.fromisoformat(max(days)))


def _settlements(station: Station, series: str, extreme: Extreme, missing: Sequence[str]) -> Ask:
    wanted = frozenset(Key(day, extreme, None, SETTLED) for day in missing)

    async def answer(fetcher: Fetcher) -> Found | Failed:
        rows: list[MarketRow] = []
        for path, only in (("/historical/markets", {}), ("/markets", {"status": "settled"})):
            page = await _pages(fetcher, path, {"series_ticker": series, **only})
            if isinstance(page, Failed):
                return page
            rows += page
        return settled(rows, station, series, extreme)

    return Ask(Provider.KALSHI, station, series, _span(missing), 2, answer, wanted)


async def _pages(fetcher: Fetcher, path: str, params: Mapping[str, str]) -> list[MarketRow] | Failed:
    """All pages of a list of markets."""
    rows: list[MarketRow] = []
    cursor = ""
    for _ in range(PAGES_MAX):
        said = await fetcher.get(
            path, {**params, "limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
        )
        if not isinstance(said, Body):
            return said if isinstance(said, Failed) else Failed("not modified without a question", 304)
        page = decode(said, MarketRows)
        if isinstance(page, Failed):
            return page
        rows += page.markets
        cursor = page.cursor
        if not cursor:
            return rows
    return Failed(f"{path} has more than {PAGES_MAX} pages", 200)


def settled(rows: Sequence[MarketRow], station: Station, series: str, extreme: Extreme) -> Found | Failed:
    """What each event settled on. An event whose rules name another station, or whose value is no whole
    degree, is no outcome; one whose markets disagree about it makes the whole answer useless."""
    found: dict[Key, float | None] = {}
    for row in rows:
        value = settled_f(row.expiration_value or "")
        day = names.event_day(row.event_ticker, series)
        if row.status not in _SETTLED or value is None or day is None:
            continue
        if settles(series, day, row.rules_primary, row.rules_secondary).station != station.icao:
            continue
        if not plausible(value) or value != int(value):
            continue
        key = Key(day.isoformat(), extreme, None, SETTLED)
        if found.setdefault(key, value) != value:
            told = clean_text(row.event_ticker, 40)
            return Failed(f"{told} settled on {found[key]:g} and on {value:g}", 200)
    return found


_SETTLED: Final = (MarketStatus.FINALIZED.value, "settled")


def _reports(station: Station, year: int, missing: Sequence[tuple[str, Extreme]]) -> Ask:
    async def answer(fetcher: Fetcher) -> Found | Failed:
        said = await fetcher.get("/json/cli.py", {"station": station.icao, "year": str(year)})
        if not isinstance(said, Body):
            return said if isinstance(said, Failed) else Failed("not modified without a question", 304)
        rows = decode(said, ReportRows)
        return rows if isinstance(rows, Failed) else reported(rows, station)

    wanted = frozenset(Key(day, extreme, None, REPORTED) for day, extreme in missing)
    return Ask(Provider.IEM, station, "CLI", _span([day for day, _ in missing]), 1, answer, wanted)


def reported(rows: ReportRows, station: Station) -> Found | Failed:
    """The final reports' extremes. A report issued within the day it is about is preliminary."""
    found: dict[Key, float | None] = {}
    for row in rows.results[:YEAR_ROWS_MAX]:
        if row.station != station.icao:
            return Failed(f"{station.icao}: answer is of another station", 200)
        try:
            day = date.fromisoformat(row.valid).isoformat()
        except ValueError:
            return Failed(f"{station.icao}: a report's day cannot be read", 200)
        issued_ms = _issued_ms(row.product or "")
        if issued_ms is None or climate_day(station, issued_ms) <= day:
            continue
        for extreme, told in ((Extreme.HIGH, row.high), (Extreme.LOW, row.low)):
            if not isinstance(told, float) or not plausible(told) or told != int(told):
                continue
            key = Key(day, extreme, None, REPORTED)
            if key in found:
                return Failed(f"{station.icao}: answer tells {day} twice", 200)
            found[key] = told
    return found


def _issued_ms(product: str) -> int | None:
    """When a text product was issued, by its name ``202611220618-KOKX-CDUS41-CLINYC``."""
    match = _ISSUED.match(product)
    if match is None:
        return None
    year, month, day, hour, minute = match.groups()
    return utc_ms(f"{year}-{month}-{day}T{hour}:{minute}")
