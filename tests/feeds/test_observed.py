"""The running maximum of a climate day."""

from core.feeds.feed import Stamp
from core.feeds.observed import RunningMax, observe
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.values import Observation

NYC = stations()["KNYC"]
START_MS, END_MS = climate_day_bounds(NYC, "2026-11-22")


def reading(at_ms: int, f: int, six: int | None = None) -> Observation:
    return Observation("KNYC", float(f), f, six, Stamp(at_ms, 0, 0))


def fold(*readings: Observation) -> RunningMax | None:
    held: RunningMax | None = None
    for one in readings:
        held = observe(held, one, NYC)
    return held


def test_highest_reading_of_the_day_counts_in_any_order() -> None:
    held = fold(
        reading(START_MS + 7 * HOUR_MS, 44), reading(START_MS + 9 * HOUR_MS, 41), reading(START_MS, 46)
    )
    assert held is not None
    assert (held.day, held.at_least_f, held.readings) == ("2026-11-22", 46, 3)
    assert held.latest.stamp.event_ms == START_MS + 9 * HOUR_MS


def test_a_new_day_starts_afresh_and_the_old_one_stays_over() -> None:
    held = fold(reading(END_MS - 1, 60), reading(END_MS, 40), reading(END_MS - 2, 70))
    assert held is not None
    assert (held.day, held.at_least_f) == ("2026-11-23", 40)


def test_six_hour_maximum_counts_only_when_its_window_lies_in_the_day() -> None:
    # New York: the 06Z group covers 19 to 01 standard time and straddles midnight; 12Z covers 01 to 07.
    straddling = fold(reading(START_MS + 51 * 60_000, 40, six=55))
    assert straddling is not None
    assert straddling.at_least_f == 40
    inside = fold(reading(START_MS + 6 * HOUR_MS + 51 * 60_000, 40, six=55))
    assert inside is not None
    assert inside.at_least_f == 55
