"""One question about a station's past: whom it asks, what it costs, and the figures its answer holds."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from core.domain.market import Extreme
from core.feeds.fetch import Failed, Fetcher
from core.feeds.stations import Station
from core.training.archive import Key

LEADS: Final = (0, 1, 2, 3)
"""Days before the climate day at which forecasts are kept. Markets open the day before; what was said one
issue earlier tells how settled a forecast is."""


class Provider(enum.Enum):
    """By the name of its declaration where a feed asks it too: one quota for both."""

    OPEN_METEO = "open-meteo-past"
    IEM = "nbm"
    KALSHI = "kalshi"


class Days(msgspec.Struct, frozen=True):
    """Climate days, both ends inclusive."""

    first: date
    last: date

    def all(self) -> list[str]:
        count = (self.last - self.first).days + 1
        return [(self.first + timedelta(days=i)).isoformat() for i in range(count)]

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


Found = Mapping[Key, float | None]
Answering = Callable[[Fetcher], Awaitable[Found | Failed]]


class Ask(msgspec.Struct, frozen=True):
    """One question."""

    provider: Provider
    station: Station
    what: str
    """Of which source, for the operator: ``gfs_seamless``."""
    days: Days
    cost: int
    answer: Answering
    """Asks and reads; never raises for what the other side does."""
    wanted: frozenset[Key]
    """What of the answer is not held yet."""


def keys(days: Days, source: str, leads: tuple[int, ...]) -> list[Key]:
    """All figures that a source may have of these days, day by day."""
    return [Key(day, extreme, lead, source) for day in days.all() for extreme in Extreme for lead in leads]


def spans(days: list[str], longest: int) -> list[Days]:
    """Few questions that cover all of these days, none longer than ``longest``; days between that are held
    already are asked with them where that saves a question."""
    found: list[Days] = []
    for day in sorted(map(date.fromisoformat, set(days))):
        if found and (day - found[-1].first).days < longest:
            found[-1] = Days(found[-1].first, day)
        else:
            found.append(Days(day, day))
    return found
