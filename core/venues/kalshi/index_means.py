"""What a market on a crypto index says it settles on: which index, over which seconds, until when.

The table (``indices.toml``) knows each series; the market's own rules must name the index and the length of
its mean, and its event's time must be the one at which it closes. Anything else is refused with the sentence
that differs: the contract is then not the one we know, and there is no fair value.
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

from core.domain.market import IndexMean, Strike
from core.domain.text import quoted
from core.venues.kalshi.series import MONTHS

RULES_CHARS_MAX = 20_000
MINUTE_S = 60
EASTERN = ZoneInfo("America/New_York")
_AT = re.compile(r"(\d{2})([A-Z]{3})(\d{2})H?(\d{2})(\d{2})?", re.ASCII)
_TRIMMED = re.compile(r"\btrim|\bexclud\w+ (?:the )?(?:highest|lowest|top|bottom)", re.IGNORECASE)
_OUR_INDEX = re.compile(r"\b(?:[A-Z]{3,5}USD_?RTI|BRTI)\b", re.ASCII)


class IndexSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``indices.toml``."""

    ticker: str
    code: str
    index: str
    names: tuple[str, ...]
    seconds: int
    precision: float
    unconfirmed: str


class Settles(msgspec.Struct, frozen=True):
    """On what; without a mean ``doubt`` says why there is none."""

    mean: IndexMean | None = None
    unconfirmed: str = ""
    doubt: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: list[IndexSeries]


@functools.cache
def _series() -> Mapping[str, IndexSeries]:
    text = (importlib.resources.files("core.venues.kalshi") / "indices.toml").read_text("utf-8")
    return {row.ticker: row for row in msgspec.convert(tomllib.loads(text), _Table).series}


def index_series(series: str) -> IndexSeries | None:
    """A series on the mean of an index; ``None`` for any other."""
    return _series().get(series)


def event_time_ms(event_ticker: str, series: str) -> int | None:
    """The moment in ``KXBTC15M-26SEP041215``, ``KXBTCD-26NOV2217`` or ``KXINX-26NOV20H1600``, New York time;
    ``None`` without one."""
    match = _AT.fullmatch(event_ticker.removeprefix(f"{series}-"))
    if match is None or match.group(2) not in MONTHS:
        return None
    year, month, day, hour, minute = match.groups()
    try:
        at = datetime(
            2000 + int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute or 0), tzinfo=EASTERN
        )
    except ValueError:
        return None
    return int(at.timestamp()) * 1000


def settles(series: str, event_ticker: str, close_ms: int, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent."""
    row = index_series(series)
    if row is None:
        return Settles()
    rules = f"{primary[:RULES_CHARS_MAX]}\n{secondary[:RULES_CHARS_MAX]}"
    ends_ms = event_time_ms(event_ticker, series)
    if ends_ms is None:
        return Settles(doubt="its event is not named by a time of day")
    if ends_ms != close_ms:
        away_s = abs(ends_ms - close_ms) // 1000
        return Settles(doubt=f"it closes {away_s} s away from the time its event is named by")
    doubt = _other_index(row, rules) or _other_mean(row, rules)
    if doubt:
        return Settles(doubt=doubt)
    return Settles(IndexMean(row.index, row.seconds, ends_ms, row.precision), row.unconfirmed)


def _other_index(row: IndexSeries, rules: str) -> str:
    for found in _OUR_INDEX.finditer(rules):
        if found.group().lower() not in row.names:
            return f"rules name {found.group()}, expected {row.index}{quoted(rules, found.start())}"
    lower = rules.lower()
    return (
        "" if any(name in lower for name in row.names) else f"rules do not name {row.index}{quoted(rules, 0)}"
    )


def _other_mean(row: IndexSeries, rules: str) -> str:
    if found := _TRIMMED.search(rules):
        return f"rules leave values out of the mean{quoted(rules, found.start())}"
    words = rf"\b{row.seconds}[ -]seconds?\b"
    if row.seconds == MINUTE_S:
        words += r"|\bsixty[ -]seconds?\b|\blast minute\b|\bone minute\b"
    if not re.search(words, rules, re.IGNORECASE):
        return f"rules name no mean of {row.seconds} seconds{quoted(rules, 0)}"
    return ""


def label(row: IndexSeries, event_ticker: str, strike: Strike) -> str | None:
    """``BTC15 12:15 >=91250.12``: New York time; ``None`` where the parts are not known."""
    at_ms = event_time_ms(event_ticker, row.ticker)
    if at_ms is None or (strike.floor is None and strike.cap is None):
        return None
    at = datetime.fromtimestamp(at_ms / 1000, EASTERN)
    if strike.cap is None:
        span = f">={strike.floor:.10g}" if strike.kind.value.endswith("equal") else f">{strike.floor:.10g}"
    elif strike.floor is None:
        span = f"<={strike.cap:.10g}" if strike.kind.value.endswith("equal") else f"<{strike.cap:.10g}"
    else:
        span = f"{strike.floor:.10g}-{strike.cap:.10g}"
    return f"{row.code} {at:%b%d} {at:%H:%M} {span}"
