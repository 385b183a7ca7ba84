"""What we call a market and where its series settles: the table of series and short labels."""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from datetime import date

import msgspec

from core.domain.market import Extreme, Strike

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
"""As tickers have them."""
_DAY = re.compile(r"(\d{2})([A-Z]{3})(\d{2})", re.ASCII)


class City(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``series.toml``."""

    code: str
    icao: str
    cli: str
    high: str = ""
    low: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    city: list[City]


@functools.cache
def _series() -> dict[str, tuple[City, Extreme]]:
    text = (importlib.resources.files("core.venues.kalshi") / "series.toml").read_text("utf-8")
    cities = msgspec.convert(tomllib.loads(text), _Table).city
    rows = [(city.high, city, Extreme.HIGH) for city in cities]
    rows += [(city.low, city, Extreme.LOW) for city in cities]
    return {series: (city, about) for series, city, about in rows if series}


def temperature_city(series: str) -> City | None:
    """The city of a daily temperature series; ``None`` for any other series."""
    row = _series().get(series)
    return row[0] if row else None


def extreme(series: str) -> Extreme | None:
    """What a daily temperature series is about; ``None`` for any other series."""
    row = _series().get(series)
    return row[1] if row else None


def event_day(event_ticker: str, series: str) -> date | None:
    """The local date in ``KXHIGHNY-26NOV23``; ``None`` when the event is not named by one day."""
    match = _DAY.fullmatch(event_ticker.removeprefix(f"{series}-"))
    if match is None or match.group(2) not in MONTHS:
        return None
    try:
        return date(2000 + int(match.group(1)), MONTHS.index(match.group(2)) + 1, int(match.group(3)))
    except ValueError:
        return None


def label(series: str, event_ticker: str, ticker: str, strike: Strike) -> str:
    """``NYC hi Nov23 48-49``; the ticker itself where the parts are not known."""
    row, day, degrees = _series().get(series), event_day(event_ticker, series), strike.whole_degrees()
    if row is None or day is None or degrees is None:
        return ticker
    city, about = row
    low, high = degrees
    if low is None:
        span = f"<={high}"
    elif high is None:
        span = f">={low}"
    else:
        span = f"{low}-{high}" if low != high else str(low)
    return f"{city.code} {about.short} {MONTHS[day.month - 1].capitalize()}{day.day:02d} {span}"
