"""Variance time: a market that never sleeps moves by the hour of the week, and jumps at releases.

Time is counted in days of average variance (``clocks.toml``), so that a day's volatility fits any stretch.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping

import msgspec

from core.feeds.hours import new_york_offset_ms
from core.feeds.releases import Due
from core.feeds.stations import DAY_MS, HOUR_MS

WEEK_H = 168
_MONDAY_H = 4 * 24
"""The first Monday after the epoch, which was a Thursday."""
_DAYS_A_WEEK = 5.0
_ROUNDING = 0.01
"""Days by which a table's own rounding may miss the week's sum."""
SPAN_MAX_MS = 60 * DAY_MS


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``clocks.toml``."""

    name: str
    hours: tuple[tuple[float, ...], ...]
    """Thousandths of a day, Monday first."""
    releases: dict[str, float] = {}
    """Days of variance that a release of each kind adds."""

    def __post_init__(self) -> None:
        if len(self.hours) != 7 or any(len(day) != 24 for day in self.hours):
            raise ValueError(f"{self.name}: a clock has 7 days of 24 hours")
        if min(map(min, self.hours)) < 0 or abs(sum(map(sum, self.hours)) / 1000 - _DAYS_A_WEEK) > _ROUNDING:
            raise ValueError(f"{self.name}: its hours are not parts of {_DAYS_A_WEEK:g} days")

    def weight(self, at_ms: int) -> float:
        """Days of variance that the hour around a time holds."""
        day, hour = divmod(week_hour(at_ms), 24)
        return self.hours[day][hour] / 1000


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clock: list[Clock]


@functools.cache
def clocks() -> Mapping[str, Clock]:
    """By name."""
    text = (importlib.resources.files("core.models.ranges") / "clocks.toml").read_text("utf-8")
    return {row.name: row for row in msgspec.convert(tomllib.loads(text), _Table).clock}


def week_hour(at_ms: int) -> int:
    """The hour of the week on New York's clock, 0 to 167 from Monday 00:00."""
    return ((at_ms + new_york_offset_ms(at_ms)) // HOUR_MS - _MONDAY_H) % WEEK_H


def variance_days(clock: Clock, from_ms: int, to_ms: int, releases: Iterable[Due] = ()) -> float:
    """How much varies after ``from_ms`` and up to ``to_ms``, in days, with what releases in it add. Raises
    ``ValueError`` for spans over ``SPAN_MAX_MS``."""
    if to_ms - from_ms > SPAN_MAX_MS:
        raise ValueError(f"{(to_ms - from_ms) // DAY_MS} days ahead are too far for it")
    total, at_ms = 0.0, from_ms
    while at_ms < to_ms:
        next_ms = min((at_ms // HOUR_MS + 1) * HOUR_MS, to_ms)
        total += clock.weight(at_ms) * (next_ms - at_ms) / HOUR_MS
        at_ms = next_ms
    return total + sum(clock.releases.get(kind, 0.0) for kind in _coming(releases, from_ms, to_ms))


def _coming(releases: Iterable[Due], from_ms: int, to_ms: int) -> set[str]:
    """Kinds due in the stretch: several sources tell of the same release."""
    return {due.kind for due in releases if from_ms < due.at_ms <= to_ms and not due.out}
