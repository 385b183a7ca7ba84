"""The gate before a value is published: plausible, not from the future, not older than what is held."""

from __future__ import annotations

import math

import msgspec

TEMPERATURE_F = (-60.0, 140.0)
FUTURE_MS_MAX = 5_000
DATES_MS = (946_684_800_000, 7_258_118_400_000)
"""2000 to 2200: an instant outside is a fault, and far outside no calendar can name its day."""


def plausible(temperature_f: float) -> bool:
    """Whether a temperature is finite and within what the stations can see."""
    return math.isfinite(temperature_f) and TEMPERATURE_F[0] <= temperature_f <= TEMPERATURE_F[1]


def dated(at_ms: int) -> bool:
    """Whether an instant is one that weather data can be about."""
    return DATES_MS[0] <= at_ms < DATES_MS[1]


def time_fault(event_ms: int, held_ms: int | None, world_ms: int) -> str:
    """What is wrong with a value's own time, empty when nothing is."""
    if not dated(event_ms):
        return "its time is not a date of our days"
    if event_ms > world_ms + FUTURE_MS_MAX:
        return f"its time is {(event_ms - world_ms) // 1000} s in the future"
    if held_ms is not None and event_ms < held_ms:
        return f"it is {(held_ms - event_ms) // 1000} s older than what is held"
    return ""


class Bounds(msgspec.Struct, frozen=True):
    """What a price can be: from ``low`` to ``high``, and at most the share ``jump`` from the one before."""

    low: float
    high: float
    jump: float


def price_fault(value: float, of: Bounds, before: float | None) -> str:
    """What is wrong with a price, empty when nothing is. ``before``: the last one, where there is one."""
    if not (math.isfinite(value) and of.low <= value <= of.high):
        return f"{value:g} is not from {of.low:g} to {of.high:g}"
    if before is not None and abs(value - before) > of.jump * before:
        return f"{value:g} is more than {of.jump:.0%} from {before:g}"
    return ""
