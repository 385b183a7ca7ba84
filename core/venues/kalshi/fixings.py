"""What a market on a price says it settles on: the price of what, published at which time.

The table (``fixings.toml``) knows each series; the market's own rules must name the thing and the time of day
its event is named by, and speak of no mean. Anything else is refused with the sentence that differs: the
contract is then not the one we know, and there is no fair value.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from core.domain.market import Fixing
from core.domain.text import clean_text, quoted
from core.venues.kalshi.index_means import EASTERN, RULES_CHARS_MAX, event_time_ms

CLOSES_EARLIER_MS_MAX = 3_600_000
"""Trading ends at the time of the value or up to so long before."""
_MEAN = re.compile(r"\b(?:average|mean|vwap|twap)\b", re.IGNORECASE)
_CLOSING = re.compile(r"\bclos(?:e|es|ing)\b", re.IGNORECASE)
_SOURCE = re.compile(
    r"\b(?:according to|as reported by|as published by)\s+(?:the\s+)?([^.;,\n]{1,60})", re.IGNORECASE
)


class PriceSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``fixings.toml``."""

    ticker: str
    price: str
    names: tuple[str, ...]
    precision: float
    unconfirmed: str
    closes: bool = False


class Settles(msgspec.Struct, frozen=True):
    """On what; without a fixing ``doubt`` says why there is none."""

    fixing: Fixing | None = None
    unconfirmed: str = ""
    doubt: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: list[PriceSeries]


@functools.cache
def _series() -> Mapping[str, PriceSeries]:
    text = (importlib.resources.files("core.venues.kalshi") / "fixings.toml").read_text("utf-8")
    return {row.ticker: row for row in msgspec.convert(tomllib.loads(text), _Table).series}


def price_series(series: str) -> PriceSeries | None:
    """A series on a price; ``None`` for any other."""
    return _series().get(series)


def settles(series: str, event_ticker: str, close_ms: int, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent."""
    row = price_series(series)
    if row is None:
        return Settles()
    at_ms = event_time_ms(event_ticker, series)
    if at_ms is None:
        return Settles(doubt="its event is not named by a time of day")
    if not 0 <= at_ms - close_ms <= CLOSES_EARLIER_MS_MAX:
        away_s = abs(at_ms - close_ms) // 1000
        return Settles(doubt=f"it closes {away_s} s away from the time its event is named by")
    rules = f"{primary[:RULES_CHARS_MAX]}\n{secondary[:RULES_CHARS_MAX]}"
    doubt = _other_price(row, primary) or _other_time(row, at_ms, rules) or _no_print(rules)
    if doubt:
        return Settles(doubt=doubt)
    return Settles(Fixing(row.price, at_ms, row.precision), _open_point(row, rules))


def _other_price(row: PriceSeries, primary: str) -> str:
    lower = primary.lower()
    for other in _series().values():
        found = (
            next((name for name in other.names if name in lower), None) if other.price != row.price else None
        )
        if found is not None:
            return f"rules name {other.price}, expected {row.price}{quoted(primary, lower.index(found))}"
    named = any(name in lower for name in row.names)
    return "" if named else f"rules do not name {row.price}{quoted(primary, 0)}"


def _other_time(row: PriceSeries, at_ms: int, rules: str) -> str:
    """The hour in words, ``10 AM`` or ``10:00:00 AM``; a closing value may go by that name."""
    at = datetime.fromtimestamp(at_ms / 1000, EASTERN)
    minutes = rf":{at:%M}(?::00)?" if at.minute else r"(?::00){0,2}"
    if re.search(rf"\b{at.hour % 12 or 12}{minutes} ?{at:%p}\b", rules, re.IGNORECASE):
        return ""
    if row.closes and _CLOSING.search(rules):
        return ""
    return f"rules name no value at {at:%H:%M} New York time{quoted(rules, 0)}"


def _no_print(rules: str) -> str:
    found = _MEAN.search(rules)
    return f"rules speak of a mean, not of one value{quoted(rules, found.start())}" if found else ""


def _open_point(row: PriceSeries, rules: str) -> str:
    """What waits for the operator, with the source the rules name."""
    return f"{row.unconfirmed}; {named_source(rules)}"


def named_source(rules: str) -> str:
    """Whom rules name as their source, a clause."""
    found = _SOURCE.search(rules)
    return f"the rules say {clean_text(found.group(1), 60)!r}" if found else "the rules name no source"
