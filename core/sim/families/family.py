"""What a family of markets is: events that come by its own calendar, a crowd's opinion, what settles.

A family reads the same world that the feeds show, so a client that reads them well finds the truth there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Protocol

import msgspec

from core.sim.contracts import EventSpec, SeriesSpec


class Outcome(msgspec.Struct, frozen=True):
    """How an event ends. ``yes`` runs like its markets, ``value`` is told as the expiration value."""

    yes: tuple[bool, ...]
    value: str


class Offering(Protocol):
    """One event of a family."""

    @property
    def spec(self) -> EventSpec:
        """As the exchange publishes it; texts are our own. Its markets open and close together."""
        ...

    @property
    def determined_ms(self) -> int:
        """World time from which its outcome is told."""
        ...

    def chances(self, now_ms: int) -> tuple[float, ...]:
        """What the crowd gives YES in each of its markets at a world instant."""
        ...

    def outcome(self) -> Outcome:
        """Computed from the world's own path; asked for from ``determined_ms`` on."""
        ...


class Family(Protocol):
    """A kind of market. Nothing in it moves by itself."""

    @property
    def series(self) -> SeriesSpec: ...

    @property
    def look_every_ms(self) -> int:
        """Real time between two looks of the crowd at one of its events."""
        ...

    def open(self, now_ms: int, listed: Container[str]) -> Iterable[Offering]:
        """Events that trade at a world instant, without those whose tickers are ``listed``."""
        ...
