"""What the simulator's past says of the models: forecasts and outcomes that come with the program.

They were made by the program's own models from the simulator's history, each day with what was known before
it, against the prices at which its crowd would have quoted then (``tests/training/build_evidence.py``). The
file names its world as simulated and is read for a simulated desk alone; no other's record takes its looks.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator

import msgspec

from core.config.paths import Profile
from core.domain.market import FIRST_VENUE
from core.models.foreseen import Came, Foreseen, Moment, Said
from core.models.laws import Shape

FORMAT = 1
WORLD = "sim"
PACKAGED = "evidence-sim.json"


class PastLook(msgspec.Struct, frozen=True, array_like=True):
    """One day's event of one ladder, seen at 21:00 UTC the day before; probabilities from low to high."""

    day: str
    alone: tuple[float, ...]
    market: tuple[float, ...]
    pooled: tuple[float, ...]
    location: float
    scale: float
    winner: int
    """Place of the bracket that paid."""
    value: float
    """What it settled on, degrees F."""


class PastLooks(msgspec.Struct, frozen=True):
    """A model's looks at one city's days; ``series`` are those whose markets the one crowd quotes alike."""

    series: tuple[str, ...]
    model: str
    shape: Shape
    weight: float
    sharpen: float
    looks: tuple[PastLook, ...]


class SimulatedPast(msgspec.Struct, frozen=True):
    format: int
    world: str
    groups: tuple[PastLooks, ...]


def simulated_past(place: Profile) -> Iterator[tuple[Foreseen, Came]]:
    """The simulated world's looks and outcomes; none for a desk whose world is not one."""
    if not place.simulated:
        return
    packaged = importlib.resources.files("core.models.weather") / "data" / PACKAGED
    past = msgspec.json.decode(packaged.read_bytes(), type=SimulatedPast)
    if (past.format, past.world) != (FORMAT, WORLD):
        raise ValueError(f"the packaged {PACKAGED} is not of this version: it comes with the program")
    for group in past.groups:
        for series in group.series:
            for look in group.looks:
                yield _unpacked(series, group, look)


def _unpacked(series: str, group: PastLooks, look: PastLook) -> tuple[Foreseen, Came]:
    event = f"{series} {look.day}"
    tickers = tuple(f"{event} {at}" for at in range(len(look.alone)))
    foreseen = Foreseen(
        venue=FIRST_VENUE,
        event=event,
        series=series,
        model=group.model,
        version=WORLD,
        moment=Moment.EVENING,
        at_ms=0,
        closes_ms=0,
        day=look.day,
        tickers=tickers,
        alone=look.alone,
        market=look.market,
        pooled=look.pooled,
        weight=group.weight,
        sharpen=group.sharpen,
        laws=(Said(1.0, group.shape, look.location, look.scale),),
        simulated=True,
    )
    return foreseen, Came(event, 0, {t: at == look.winner for at, t in enumerate(tickers)}, look.value)
