"""What the simulator's past says of the models: forecasts and outcomes that come with the program.

They were made by the program's own models from the simulator's history, each event with what was known before
it, against the prices at which its crowd would have quoted then (``tests/training/build_evidence.py``). The
file names its world as simulated and is read for a simulated desk alone; no other's record takes its looks.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterator

import msgspec

from core.config.paths import Profile
from core.domain.market import FIRST_VENUE
from core.models.foreseen import Came, Foreseen, Moment, Said
from core.models.laws import Shape

FORMAT = 2
WORLD = "sim"
PACKAGED = "evidence-sim.json"


class PastPlace(msgspec.Struct, frozen=True, array_like=True):
    """The model's law of a value and the value that came, degrees F."""

    location: float
    scale: float
    value: float


class PastLook(msgspec.Struct, frozen=True, array_like=True):
    """One look at one event; probabilities in the order of its markets, a ladder's from low to high."""

    day: str
    alone: tuple[float, ...]
    market: tuple[float, ...]
    won: tuple[int, ...]
    """Places of the markets that paid."""
    pooled: tuple[float, ...] = ()
    """Empty where the model counted nothing: then it is what the market said."""
    place: PastPlace | None = None
    """``None`` where the model has no law in the unit of the value."""


class PastLooks(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's looks at one kind of event; ``series`` are those whose markets the one crowd quotes alike."""

    series: tuple[str, ...]
    model: str
    weight: float
    sharpen: float
    looks: tuple[PastLook, ...]
    shape: Shape = Shape.NORMAL
    """Of the laws."""
    moment: Moment = Moment.EVENING
    exclusive: bool = True


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
            for number, look in enumerate(group.looks):
                yield _unpacked(series, number, group, look)


@functools.cache
def _places(count: int) -> tuple[str, ...]:
    """Names that tell the markets of one event apart."""
    return tuple(map(str, range(count)))


def _unpacked(series: str, number: int, group: PastLooks, look: PastLook) -> tuple[Foreseen, Came]:
    event = f"{series} {look.day} {number}"
    tickers, place = _places(len(look.alone)), look.place
    foreseen = Foreseen(
        venue=FIRST_VENUE,
        event=event,
        series=series,
        model=group.model,
        version=WORLD,
        moment=group.moment,
        at_ms=0,
        closes_ms=0,
        day=look.day,
        tickers=tickers,
        alone=look.alone,
        market=look.market,
        pooled=look.pooled or look.market,
        weight=group.weight,
        sharpen=group.sharpen,
        exclusive=group.exclusive,
        laws=(Said(1.0, group.shape, place.location, place.scale),) if place is not None else (),
        simulated=True,
    )
    paid = {ticker: at in look.won for at, ticker in enumerate(tickers)}
    return foreseen, Came(event, 0, paid, place.value if place is not None else None)
