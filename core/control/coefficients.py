"""A profile's coefficient file: written whole, read whole or not at all, watched while an engine runs."""

from __future__ import annotations

import asyncio
import importlib.resources
import os
from pathlib import Path

import msgspec

from core.config.paths import Profile
from core.control.site import World
from core.engine.engine import Engine
from core.engine.state import AlarmLevel
from core.models.weather.coefficients import CoefficientsError, Learned, decode

LOOK_EVERY_S = 2.0
REAL, SIMULATED = "real", "sim"
_PACKAGED = "coefficients-sim.json"


class Loaded(msgspec.Struct, frozen=True):
    """What is known, and why nothing is."""

    learned: Learned | None
    fault: str = ""
    """A whole sentence with the remedy; empty where all is well or nothing has been fitted yet."""
    path: str = ""


def kind_of(place: Profile) -> str:
    """Whose coefficients hold here."""
    return SIMULATED if place.simulated else REAL


def load(place: Profile, world: World) -> Loaded:
    """The profile's own file; in the demo the one that comes with it, where there is none."""
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


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file: whoever reads it sees the old one or the new one. Raises ``OSError``."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


async def watch_coefficients(place: Profile, world: World, engine: Engine, first: Loaded) -> None:
    """Hand a changed file to the engine at once, and ring while it holds one that cannot be used."""
    seen = _mark(place.coefficients)
    _ring(engine, first)
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        mark = _mark(place.coefficients)
        if mark == seen:
            continue
        seen = mark
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


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Changes with the file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
