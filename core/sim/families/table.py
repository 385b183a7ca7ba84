"""The families a scenario may list, by the name it calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.sim.families.bitcoin import Bitcoin
from core.sim.families.family import Family
from core.sim.families.inflation import Inflation
from core.sim.families.lows import Heard, Lows
from core.sim.families.ranges import SERIES, Hunch, Ranges
from core.sim.families.winners import Winners
from core.sim.games import Games
from core.sim.prices import Prices
from core.sim.releases import Releases
from core.sim.weather import Weather


class Told(msgspec.Struct, frozen=True):
    """The world that families are about, as the feeds show it."""

    weather: Weather
    prices: Prices
    games: Games
    releases: Releases
    speed: float
    heard_ms: Heard
    """As of when the crowd knows the forecasts."""
    hunch: Hunch


_INDEX, _FOREX = SERIES
FAMILIES: dict[str, Callable[[Told], Family]] = {
    "lows": lambda told: Lows(told.weather, told.heard_ms),
    "index": lambda told: Ranges(_INDEX, told.prices, told.hunch),
    "forex": lambda told: Ranges(_FOREX, told.prices, told.hunch),
    "bitcoin": lambda told: Bitcoin(told.prices, told.speed),
    "games": lambda told: Winners(told.games),
    "inflation": lambda told: Inflation(told.releases),
}


def families(names: Iterable[str], told: Told) -> list[Family]:
    """Those of a scenario, in its order."""
    return [FAMILIES[name](told) for name in names]
