"""The text of an hourly station report: T group, and at its hours the extremes of the last 6 and 24.

Extremes are whole degrees Fahrenheit written in tenths of Celsius, as the stations send them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from core.sim.scenarios.loader import Station
from core.sim.weather import DAY_MS, HOUR_MS, OBSERVATION_DELAY_MS, Observation, Weather, half_up


def text(weather: Weather, station: Station, seen: Observation, *, corrected: bool = False) -> str:
    """One report; ``corrected`` marks it as replacing an earlier one."""
    tenths = round((seen.temp_f - 32) * 50 / 9)
    when = datetime.fromtimestamp(seen.at_ms / 1000, UTC)
    body, dew = _signed(half_up(tenths / 10), "M", 2), _signed(half_up(tenths / 10 - 8), "M", 2)
    group = _signed(tenths, "1", 3, "0") + _signed(tenths - 80, "1", 3, "0")
    mark = "COR" if corrected else "AUTO"
    found = f"{station.icao} {when:%d%H%M}Z {mark} 31008KT 10SM CLR {body}/{dew} A3009 RMK AO2 T{group}"
    return " ".join([found, *_groups(weather, station, seen)])


def extremes(weather: Weather, station: Station, closes_ms: int, hours: int) -> tuple[int, int] | None:
    """Whole-degree maximum and minimum of the reports in the hours before a full hour."""
    seen = [
        half_up(o.temp_f) for o in weather.reported(station.icao, closes_ms + OBSERVATION_DELAY_MS, hours)
    ]
    return (max(seen), min(seen)) if len(seen) == hours else None


def _groups(weather: Weather, station: Station, seen: Observation) -> list[str]:
    closes_ms = -(-seen.at_ms // HOUR_MS) * HOUR_MS
    found = []
    if closes_ms % (6 * HOUR_MS) == 0 and (six := extremes(weather, station, closes_ms, 6)):
        found += [f"1{_tenths(six[0])}", f"2{_tenths(six[1])}"]
    if (closes_ms + station.lst_offset_h * HOUR_MS) % DAY_MS == 0:
        day = extremes(weather, station, closes_ms, 24)
        found += [f"4{_tenths(day[0])}{_tenths(day[1])}"] if day else []
    return found


def _tenths(whole_f: int) -> str:
    return _signed(round((whole_f - 32) * 50 / 9), "1", 3, "0")


def _signed(number: int, minus: str, width: int, plus: str = "") -> str:
    return f"{minus if number < 0 else plus}{abs(number):0{width}d}"
