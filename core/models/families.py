"""The table of families: which model prices markets on which index, and from what."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping

import msgspec

from core.models.laws import T_SHAPES

RANGE_AVERAGE = "range-average"
RANGE_PRICE = "range-price"
ODDS_CONSENSUS = "odds-consensus"
RELEASE_MIXTURE = "release-mixture"
RELEASE_STEPS = "release-steps"
HOURLY_TEMPERATURE = "hourly-temperature"
MODELS = (RANGE_AVERAGE, RANGE_PRICE, ODDS_CONSENSUS, RELEASE_MIXTURE, RELEASE_STEPS, HOURLY_TEMPERATURE)
_LAWS = (RANGE_AVERAGE, RANGE_PRICE, RELEASE_MIXTURE, HOURLY_TEMPERATURE)
CHANGES = ("", "level", "difference", "percent", "year-percent")
NYSE = "nyse"
"""The clock of New York's stock exchanges; any other is a row of ``ranges/clocks.toml``."""


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``families.toml``."""

    index: str
    """What the rules name, or the price of what, by the desk's own name."""
    model: str
    degrees: int = 0
    """Of the Student's t; 0 for models without a law."""
    source: str = ""
    """Name of the feed whose word on it counts; empty where all that tell of it are taken together."""
    implied: str = ""
    """Volatility index, used alone where it is fresh; empty where there is none."""
    check: str = ""
    """What exchanges' books must confirm where they are fresh."""
    clock: str = ""
    """By which its variance runs."""
    factor: float = 1.0
    """Of what is implied, how much comes true."""
    usual: float = 0.0
    """Percent a year that it moves as a rule, believed until its own returns say more; 0: nothing is."""
    pip: float = 0.0
    """What two providers' prices of the same moment differ by is counted in it."""
    step: float = 0.0
    """What a released figure is a multiple of."""
    prints: str = ""
    """FRED's series in which past figures are; empty where none is read."""
    change: str = ""
    """What of that series the figure is: one of ``CHANGES``."""
    months: int = 1
    """Between two values of it."""

    def __post_init__(self) -> None:
        if self.model in (RELEASE_MIXTURE, RELEASE_STEPS) and not self.step > 0:
            raise ValueError(f"{self.index}: {self.model} needs a step")
        if self.change not in CHANGES:
            raise ValueError(f"{self.index}: no change is called {self.change!r}")
        if self.model not in MODELS:
            raise ValueError(f"{self.index}: no model is called {self.model!r}")
        if self.model in _LAWS and self.degrees not in T_SHAPES:
            raise ValueError(f"{self.index}: degrees must be one of {', '.join(map(str, T_SHAPES))}")
        if self.model == RANGE_PRICE and not self.clock:
            raise ValueError(f"{self.index}: {RANGE_PRICE} needs a clock")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family: list[Family]


@functools.cache
def families() -> Mapping[str, Family]:
    """By what they are about."""
    text = (importlib.resources.files("core.models") / "families.toml").read_text("utf-8")
    return {row.index: row for row in msgspec.convert(tomllib.loads(text), _Table).family}
