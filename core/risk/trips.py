"""What switches itself off and only a person switches on again: the payload of ``TRIP`` and ``ENABLE`` rows.

A halt stops everything in its scope; a trip stops one thing (a strategy in a market, automatic mode)
because it happened too often or cost too much. Nothing clears it but the operator's typed word.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

ENABLE_WORD = "enable"
SURE_LOST_MAX = 5
"""Bets of more than 80 % lost in a row, were they right a chance of one in 3,000."""


class TripKind(enum.Enum):
    """The code of the gate check that goes on denying."""

    REPEAT = "G22"
    """Too many automatic entries of one strategy in one market."""
    STREAK = "G25"
    """Too many losing closes: automatic mode is off."""
    SURE = "G37"
    """Too many bets in a row lost that were all but sure: the series is off."""
    DRAWDOWN = "G26"
    """Too far below the peak of the last seven days: the desk is halted."""


class Trip(msgspec.Struct, frozen=True):
    """One thing that is off."""

    kind: TripKind
    cause: str
    """A sentence for a person."""
    since_wall_ms: int
    ticker: str = ""
    """Of ``REPEAT`` its market, of ``SURE`` its series; empty for the others."""
    strategy: str = ""
    """Of ``REPEAT`` only."""
    by: str = "engine"
    reason: str = ""

    @property
    def name(self) -> str:
        """What the operator names to switch it on again."""
        return self.ticker or _NAMES[self.kind]

    @property
    def key(self) -> str:
        """One standing trip of its kind in its place."""
        return f"{self.kind.value} {self.strategy} {self.ticker}".strip()

    @property
    def clears(self) -> str:
        return f"'reenable {self.name}'"


_NAMES = {TripKind.STREAK: "automatic", TripKind.DRAWDOWN: "drawdown"}


def named(trips: Iterable[Trip], name: str) -> tuple[Trip, ...]:
    """The trips an operator means by a name: exact, or the unambiguous end of a ticker."""
    standing = tuple(trips)
    exact = tuple(trip for trip in standing if trip.name == name)
    ending = tuple(trip for trip in standing if name and trip.name.endswith(name))
    return exact or (ending if len({trip.name for trip in ending}) == 1 else ())
