"""What was said of an event before it was over, and what came: a forecast and its outcome, as written down.

A forecast is taken at moments that are fixed beforehand, so that nobody chooses when a model is judged. An
event that is listed for more than half a day is looked at when its fair value is first complete, at 21:00 UTC
of the day before its own and at 03:00 UTC of that day; a shorter one when it is first complete and half-way.
A moment that no engine saw within ``LATE_MS`` is left out. Complete is a fair value for which every book of
the event said enough to be pooled.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, date, datetime

import msgspec

from core.domain.market import Market, Venue
from core.models.laws import Shape

HOUR_MS = 3_600_000
SHORT_MS = 12 * HOUR_MS
LATE_MS = HOUR_MS
EVENING_MS, NIGHT_MS = -3 * HOUR_MS, 3 * HOUR_MS
"""From 00:00 UTC of the event's day."""


class Moment(enum.Enum):
    FIRST = "first complete"
    EVENING = "21 UTC the day before"
    NIGHT = "03 UTC of the day"
    HALF = "half-way"


class Said(msgspec.Struct, frozen=True, array_like=True):
    """One law of a mixture, in the unit of the outcome's value."""

    weight: float
    shape: Shape
    location: float
    scale: float


class Foreseen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at one event. Probabilities stand in the order of ``tickers``. Times are world time."""

    venue: Venue
    event: str
    series: str
    model: str
    version: str
    moment: Moment
    at_ms: int
    closes_ms: int
    day: str
    """The event's own, ``YYYY-MM-DD``: what errors are clustered by."""
    tickers: tuple[str, ...]
    alone: tuple[float, ...]
    """What the model said alone."""
    market: tuple[float, ...]
    """What the market said: the others' mids, normalised."""
    pooled: tuple[float, ...]
    weight: float
    """Of the model in the pool, and ``sharpen`` the exponent of the market there."""
    sharpen: float = 1.0
    exclusive: bool = True
    sources: tuple[str, ...] = ()
    laws: tuple[Said, ...] = ()
    """Empty where the model has none in the unit of the outcome's value."""
    simulated: bool = False


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What was bought in one market, and the last the market said of it before it closed."""

    ticker: str
    contracts: float
    beaten: float
    """Logarithm of the closing probability over the mean price paid: above nothing where it was cheap."""
    yes: bool = True
    """Which outcome was bought."""
    said: float = 0.0
    """What the fair values it was decided on gave that outcome, in the mean; nothing where none did."""


class Came(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an event ended."""

    event: str
    at_ms: int
    paid: dict[str, bool]
    """By ticker; without those that paid neither side in full."""
    value: float | None = None
    """What it settled on, where the venue says so."""
    entries: tuple[Entry, ...] = ()


def kind_of(market: Market) -> str:
    """What a record is of: the venue's own series. Where markets are on the desk by a word that finds them,
    which holds many cities, it is the temperature's place."""
    own = market.ticker.startswith(f"{market.series_ticker}-")
    if own or market.station is None or market.extreme is None:
        return market.series_ticker
    return f"{market.station} {market.extreme.value} {market.venue.value}"


def day_of(closes_ms: int, climate_day: str | None) -> str:
    """A temperature's own day, else the UTC day on which the event closes."""
    return climate_day or datetime.fromtimestamp((closes_ms - 1) / 1000, UTC).date().isoformat()


def due(opens_ms: int, closes_ms: int, day: str) -> Mapping[Moment, int]:
    """When an event is looked at, but for its first look."""
    if closes_ms - opens_ms <= SHORT_MS:
        return {Moment.HALF: (opens_ms + closes_ms) // 2}
    parsed = date.fromisoformat(day)
    midnight_ms = int(datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC).timestamp()) * 1000
    return {Moment.EVENING: midnight_ms + EVENING_MS, Moment.NIGHT: midnight_ms + NIGHT_MS}
