"""What an hourly temperature market says it settles on: which city's index, and in which minute.

The table (``hourly.toml``) knows each city. The market's own rules must name the city and the hour its event
is named by, and no source that is known to be another than the index; anything else is refused with the
sentence that differs. Rules that do not name the index leave the market priced and not traded.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from core.domain.market import CityReading
from core.domain.text import quoted
from core.venues.kalshi.fixings import CLOSES_EARLIER_MS_MAX, named_source
from core.venues.kalshi.index_means import EASTERN, RULES_CHARS_MAX, event_time_ms
from core.venues.kalshi.settles import ACCORDING, sources

_SERIES = re.compile(r"KXTEMP([A-Z]+?)HS?", re.ASCII)
_HOUR = re.compile(
    r"\b(\d{1,2})(?::(\d{2}))?(?::00)? ?([ap])\.?m\b\.?"
    r"(?: \(?([ecmpl])(?:[sd]?t|astern|entral|ountain|acific|ocal)\b)?",
    re.ASCII | re.IGNORECASE,
)
"""``3 PM EST``, ``3:00:00 PM Central Time``; with the zone's first letter, that of ``local`` too."""
_ZONES: Mapping[str, ZoneInfo] = {
    "e": EASTERN,
    "c": ZoneInfo("America/Chicago"),
    "m": ZoneInfo("America/Denver"),
    "p": ZoneInfo("America/Los_Angeles"),
}


class IndexCity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``hourly.toml``."""

    code: str
    city: str
    tickers: tuple[str, ...]
    names: tuple[str, ...]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: str
    words: tuple[str, ...]
    precision: float
    city: list[IndexCity]


class Settles(msgspec.Struct, frozen=True):
    """On what; without a reading ``doubt`` says why there is none."""

    reading: CityReading | None = None
    unconfirmed: str = ""
    doubt: str = ""


@functools.cache
def _table() -> _Table:
    text = (importlib.resources.files("core.venues.kalshi") / "hourly.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


@functools.cache
def _cities() -> Mapping[str, IndexCity]:
    """By what stands for them in a ticker."""
    return {ticker: row for row in _table().city for ticker in row.tickers}


def index_city(series: str) -> IndexCity | None:
    """The city of an hourly series; ``None`` for any other series and for a city that is not known."""
    named = _SERIES.fullmatch(series)
    return _cities().get(named[1]) if named is not None else None


def settles(series: str, event_ticker: str, close_ms: int, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent."""
    named = _SERIES.fullmatch(series)
    if named is None:
        return Settles()
    row, table = _cities().get(named[1]), _table()
    if row is None:
        return Settles(doubt=f"no city of the {table.index} is known by {named[1][:20]!r}")
    at_ms = event_time_ms(event_ticker, series)
    if at_ms is None:
        return Settles(doubt="its event is not named by an hour of a day")
    if not 0 <= at_ms - close_ms <= CLOSES_EARLIER_MS_MAX:
        away_s = abs(at_ms - close_ms) // 1000
        return Settles(doubt=f"it closes {away_s} s away from the hour its event is named by")
    primary, secondary = primary[:RULES_CHARS_MAX], secondary[:RULES_CHARS_MAX]
    rules = f"{primary}\n{secondary}"
    doubt = _other_source(table, primary) or _other_city(row, rules) or _other_hour(at_ms, rules)
    if doubt:
        return Settles(doubt=doubt)
    open_point = (
        "" if _named(table, primary) else f"whether the {table.index} settles it; {named_source(rules)}"
    )
    return Settles(CityReading(row.city, at_ms, table.precision), open_point)


def _named(table: _Table, primary: str) -> bool:
    """Whether the index is named, and after every "according to"."""
    lower = primary.lower()
    cited = (lower[match.end() :].removeprefix("the ") for match in ACCORDING.finditer(primary))
    return any(words in lower for words in table.words) and all(
        said.startswith(table.words) for said in cited
    )


def _other_source(table: _Table, primary: str) -> str:
    """Sources of the daily markets are known, and known to be others than the index."""
    lower = primary.lower()
    for words in (words for row in sources() for words in row.words):
        if words in lower:
            where = quoted(primary, lower.index(words))
            return f"rules name another source than the {table.index}{where}"
    return ""


def _other_city(row: IndexCity, rules: str) -> str:
    named = any(name in rules.lower() for name in row.names)
    return "" if named else f"rules do not name {row.names[0].title()}{quoted(rules, 0)}"


def _other_hour(at_ms: int, rules: str) -> str:
    """Hours without a zone are New York's, as in tickers; one by local time is not known to be that."""
    for hour, minute, half, letter in _HOUR.findall(rules):
        zone = _ZONES.get(letter.lower() or "e")
        if zone is None:
            continue
        at = datetime.fromtimestamp(at_ms / 1000, zone)
        named = (int(hour), int(minute or 0), f"{half.lower()}m")
        if named == (at.hour % 12 or 12, at.minute, f"{at:%p}".lower()):
            return ""
    at = datetime.fromtimestamp(at_ms / 1000, EASTERN)
    return f"rules name no reading at {at:%H:%M} New York time{quoted(rules, 0)}"
