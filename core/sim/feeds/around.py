"""What every simulated source shows a part of: one world, its clock, and the key all providers accept."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clock, WorldClock
from core.sim.games import Games
from core.sim.prices import Prices
from core.sim.releases import Releases, Staged
from core.sim.weather import Weather

SIMULATED_KEY = "simulated"


class Readers(msgspec.Struct, frozen=True):
    """Who wants to know that a client is about to see a forecast, or a station's observations."""

    forecast: Callable[[], None] = lambda: None
    observations: Callable[[str], None] = lambda _: None


class Around(msgspec.Struct, frozen=True):
    """Everything a source's simulator is made of."""

    weather: Weather
    prices: Prices
    games: Games
    releases: Releases
    clock: Clock
    """Real time."""
    now_ms: Callable[[], int]
    """World time, Unix milliseconds."""
    readers: Readers = Readers()
    key: str = SIMULATED_KEY
    """What the simulator takes for every provider's key."""


def build_around(
    weather: Weather, clock: Clock, world: WorldClock, seed: int, readers: Readers | None = None
) -> Around:
    """One world's sources, made from its seed; the scenario stages releases beside the usual ones."""
    first_day = weather.calendar.world(weather.scenario.script.first_day)
    staged = [Staged(row.kind, row.due_ms(first_day)) for row in weather.scenario.script.release]
    return Around(
        weather,
        Prices(seed),
        Games(seed),
        Releases(seed, staged),
        clock,
        lambda: world.at(clock.wall_ms()),
        readers or Readers(),
    )
