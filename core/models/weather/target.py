"""What a daily temperature event settles on, and how old what is known of it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from core.domain.market import Extreme, Market
from core.feeds.stations import DAY_MS, Station, climate_day_bounds, climate_day_start
from core.models.fair_value import InputAge
from core.models.refusal import RefusedError

Degrees = TypeVar("Degrees", int, float)
Figure = TypeVar("Figure")


class Target(msgspec.Struct, frozen=True):
    """An extreme of a station's climate day, ``[start_ms, end_ms)``."""

    station: Station
    day: str
    extreme: Extreme
    start_ms: int
    end_ms: int

    def hours(self, hourly: Sequence[tuple[int, Degrees]]) -> dict[int, Degrees]:
        return {at: f for at, f in hourly if self.start_ms <= at < self.end_ms}

    def of(self, highs: dict[str, Figure], lows: dict[str, Figure]) -> Figure | None:
        """The day's figure among those by climate day."""
        return (highs if self.extreme is Extreme.HIGH else lows).get(self.day)

    def outermost(self, hours: Sequence[Degrees]) -> Degrees:
        return max(hours) if self.extreme is Extreme.HIGH else min(hours)


def target_of(markets: Sequence[Market], station: Station, now_ms: int) -> Target:
    """What all markets of an event settle on; raises ``RefusedError``."""
    day, extreme = markets[0].climate_day, markets[0].extreme
    if day is None:
        raise RefusedError("no climate day in the rules")
    if extreme is None:
        raise RefusedError(f"{markets[0].label} is about neither a daily high nor a low")
    for market in markets:
        if market.station != station.icao or market.climate_day != day or market.extreme is not extreme:
            raise RefusedError(
                f"{market.label} does not settle on the {extreme.value} of {station.icao} {day}"
            )
        if market.source != markets[0].source:
            raise RefusedError(f"{market.label} settles on another source than its event's other markets")
    start_ms, end_ms = climate_day_bounds(station, day)
    if now_ms >= end_ms:
        raise RefusedError("climate day is over; settles on the climate report")
    return Target(station, day, extreme, start_ms, end_ms)


def lead_days(target: Target, issued_ms: int) -> int:
    """Climate days from a forecast's issue to the day."""
    return max(0, (target.start_ms - climate_day_start(target.station, issued_ms)) // DAY_MS)


def fresh(name: str, event_ms: int, stale_after_s: int, now_ms: int) -> InputAge:
    """An input that a price rests on; raises ``RefusedError`` beyond its limit."""
    age = InputAge(name, event_ms, stale_after_s)
    if not age.fresh(now_ms):
        raise RefusedError(f"{name} is {minutes(now_ms - event_ms)} min old, limit {stale_after_s // 60} min")
    return age


def minutes(age_ms: int) -> int:
    """Rounded up, so that what is beyond a limit reads as more than it."""
    return -(-age_ms // 60_000)
