"""What a daily temperature market says it settles on: station and source, read from its own rules.

The station is named by its climate report, ``CLINYC``; the source that counts on which date is data
(``sources.toml``). Another station, another source or none is refused with the sentence that differs: the
contract is then not the one we know, so there is no station and no fair value.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from datetime import date

import msgspec

from core.domain.text import quoted
from core.venues.kalshi.series import City, temperature_city

RULES_CHARS_MAX = 20_000

_CLI = re.compile(r"\bCLI[A-Z]{3}\b", re.ASCII)
ACCORDING = re.compile(r"\b(?:according to|as reported by|as published by|as recorded by)\s+", re.IGNORECASE)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """One row of ``sources.toml``: whose record counts for days from ``since`` on, until the next row."""

    since: date
    name: str
    words: tuple[str, ...]
    proxy: bool = False
    """Whether the climate report only stands for it."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: list[Source]


class Settles(msgspec.Struct, frozen=True):
    """On what; without a station ``doubt`` says why there is none."""

    station: str | None = None
    authority: str = ""
    """The source, where the climate report only stands proxy for it."""
    doubt: str = ""


@functools.cache
def sources() -> tuple[Source, ...]:
    """Oldest first."""
    text = (importlib.resources.files("core.venues.kalshi") / "sources.toml").read_text("utf-8")
    return tuple(sorted(msgspec.convert(tomllib.loads(text), _Table).source, key=lambda row: row.since))


def expected(day: date) -> Source:
    """Whose record settles markets about ``day``; the first known for days before it."""
    return next((row for row in reversed(sources()) if row.since <= day), sources()[0])


def settles(series: str, day: date | None, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent; ``day`` is the one its event is named by."""
    city = temperature_city(series)
    if city is None:
        return Settles()
    primary, secondary = primary[:RULES_CHARS_MAX], secondary[:RULES_CHARS_MAX]
    if day is None:
        return Settles(doubt="its event is not named by one day")
    source = expected(day)
    doubt = _other_station(city, f"{primary}\n{secondary}") or _other_source(source, primary)
    return Settles(doubt=doubt) if doubt else Settles(city.icao, source.name if source.proxy else "")


def _other_station(city: City, rules: str) -> str:
    named = sorted(set(_CLI.findall(rules)))
    if named == [city.cli]:
        return ""
    found = ", ".join(named[:3]) or "no station"
    other = next((match.start() for match in _CLI.finditer(rules) if match.group() != city.cli), 0)
    return f"rules name {found}, expected {city.cli}{quoted(rules, other)}"


def _other_source(expected: Source, primary: str) -> str:
    """Every "according to" must be followed by the expected name, and no other known one may be named."""
    names = tuple(words.removeprefix("the ") for words in expected.words)
    for match in ACCORDING.finditer(primary):
        if not primary[match.end() :].lower().removeprefix("the ").startswith(names):
            return f"rules settle on another source than {expected.name}{quoted(primary, match.start())}"
    for row in sources():
        for words in row.words if row.name != expected.name else ():
            if found := re.search(re.escape(words), primary, re.IGNORECASE):
                return f"rules name another source than {expected.name}{quoted(primary, found.start())}"
    if not any(words in primary.lower() for words in expected.words):
        return f"rules do not name {expected.name} as their source{quoted(primary, 0)}"
    return ""
