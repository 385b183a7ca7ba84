"""A profile's coefficient file: written whole, read whole or not at all, watched while an engine runs."""

from __future__ import annotations

import asyncio
import importlib.resources
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from core.config.paths import Profile
from core.control.site import World
from core.domain.market import Extreme
from core.engine.engine import Engine
from core.engine.state import AlarmLevel
from core.feeds.stations import climate_day, station_of_series
from core.models.weather.coefficients import CoefficientsError, Learned, decode
from core.models.weather.learned import lasts

LOOK_EVERY_S = 2.0
NOTE_DAYS, CHECK_DAYS = 7, 3
"""Before coefficients end: days from which that is told, and from which it stands on the screen."""
REAL, SIMULATED = "real", "sim"
_PACKAGED = "coefficients-sim.json"


class Loaded(msgspec.Struct, frozen=True):
    """What is known, and why nothing is."""

    learned: Learned | None
    fault: str = ""
    """A whole sentence with the remedy; empty where all is well or nothing has been fitted yet."""
    path: str = ""
    mark: tuple[int, int, int] | None = None
    """Of the profile's own file before it was read, see ``_mark``."""


def kind_of(place: Profile) -> str:
    """Whose coefficients hold here."""
    return SIMULATED if place.simulated else REAL


def load(place: Profile, world: World) -> Loaded:
    """The profile's own file; in the demo the one that comes with it, where there is none."""
    mark = _mark(place.coefficients)
    return msgspec.structs.replace(_read(place, world), mark=mark)


def _read(place: Profile, world: World) -> Loaded:
    try:
        path, raw = str(place.coefficients), place.coefficients.read_bytes()
    except FileNotFoundError:
        if not place.simulated:
            return Loaded(None)
        packaged = importlib.resources.files("core.models.weather") / "data" / _PACKAGED
        path, raw = f"the packaged {_PACKAGED}", packaged.read_bytes()
    except OSError as error:
        return Loaded(
            None, f"{place.coefficients} cannot be read ({error.strerror}): correct its permissions."
        )
    try:
        return Loaded(Learned(decode(raw, kind_of(place)), world.calendar_offset_days or 0), path=path)
    except CoefficientsError as error:
        remedy = f"make it anew with {place.command('models fit')}"
        return Loaded(None, f"{path} is not used: {error}: {remedy}.", path)


class Ending(msgspec.Struct, frozen=True):
    """Coefficients that soon say nothing any more, or do so already."""

    of: tuple[str, ...]
    """Which, ``KNYC high``, the first to end first."""
    last: str
    """The newest day in the first one's history."""
    until: str
    """The last day that it has a law of."""
    days: int
    """From today to it."""

    def __str__(self) -> str:
        more = f" and {len(self.of) - 3} more" if len(self.of) > 3 else ""
        return (
            f"the history behind {', '.join(self.of[:3])}{more} ends {self.last}: without a newer one the "
            f"weather models have no price for days after {self.until}"
        )


def ending(learned: Learned, series: Sequence[str], world_ms: int) -> Ending | None:
    """What those of these temperature series have that end within ``NOTE_DAYS``; ``None`` where all go on."""
    found = []
    for one in series:
        station = station_of_series(one)
        if station is None:
            continue
        extreme = Extreme.HIGH if one == station.high_series else Extreme.LOW
        fits = [fit for fit in learned.held.fits if (fit.station, fit.extreme) == (station.icao, extreme)]
        today = date.fromisoformat(climate_day(station, world_ms))
        for until, last in sorted((lasts(learned, fit), learned.last(fit)) for fit in fits)[:1]:
            days = (date.fromisoformat(until) - today).days
            if days <= NOTE_DAYS:
                found.append((until, last, days, f"{station.icao} {extreme.value}"))
    if not found:
        return None
    until, last, days, _ = min(found)
    return Ending(tuple(name for *_, name in sorted(found)), last, until, days)


def renewal(place: Profile) -> str:
    """What makes them last longer."""
    return f"{place.command('models update')}, then {place.command('models fit')}"


async def watch_coefficients(
    place: Profile, world: World, engine: Engine, first: Loaded, series: Sequence[str]
) -> None:
    """Hand a changed file to the engine at once; ring while it holds one that cannot be used, and before what
    it holds of these series ends."""
    found, told = first, None
    _ring(engine, first)
    while True:
        told = _ring_before(place, engine, found, series, told)
        await asyncio.sleep(LOOK_EVERY_S)
        if _mark(place.coefficients) == found.mark:
            continue
        found = await asyncio.to_thread(load, place, world)
        _ring(engine, found)
        engine.desk.pricing.learn(found.learned)


def _ring(engine: Engine, found: Loaded) -> None:
    alarms = engine.desk.alarms
    if found.fault:
        alarms.raise_(
            "coefficients",
            AlarmLevel.CHECK,
            found.fault,
            "the weather models do without",
            "a file that reads",
        )
    else:
        alarms.clear("coefficients")


def _ring_before(
    place: Profile, engine: Engine, found: Loaded, series: Sequence[str], told: Ending | None
) -> Ending | None:
    """Says once a day what is about to end; ``told`` is what was said last."""
    alarms = engine.desk.alarms
    now = ending(found.learned, series, engine.desk.clocks.world_ms()) if found.learned is not None else None
    if now == told:
        return told
    if now is None:
        alarms.clear("coefficients end")
    else:
        level = AlarmLevel.CHECK if now.days <= CHECK_DAYS else AlarmLevel.NOTE
        effect = "weather markets without a price are not traded"
        alarms.raise_("coefficients end", level, str(now), effect, renewal(place))
    return now


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Changes with the file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
