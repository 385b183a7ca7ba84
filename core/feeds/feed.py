"""The contract every data source fulfils: values with honest clocks, and the source's own health."""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec


class FeedState(enum.Enum):
    WAITING = "WAITING"
    OK = "ok"
    STALE = "STALE"
    DOWN = "DOWN"
    OFF = "OFF"


class Stamp(msgspec.Struct, frozen=True):
    """The three times of a value. World and wall times in Unix milliseconds, monotonic in ns."""

    event_ms: int
    """The data's own time (issue or observation), world time."""
    received_wall_ms: int
    """Real wall time of receipt."""
    received_ns: int
    """Monotonic time of receipt."""
    published_ms: int | None = None
    """When the source says it published, world time, if it says so."""


class FeedHealth(msgspec.Struct, frozen=True):
    """One source as the console shows it."""

    name: str
    """Display name: ``NWS``, ``METEO``."""
    state: FeedState
    newest_event_ms: int | None
    """World time of the newest data held; with several stations, of the one that lags most."""
    received_ns: int | None
    stale_after_s: int
    """World seconds after ``newest_event_ms`` at which the data may not be used for entries."""
    retry_at_ns: int | None = None
    failures: int = 0
    detail: str = ""
    unchanged_polls: int = 0


class Feed(Protocol):
    """A supervised source. ``run`` polls until cancelled and reports through the sink it was given."""

    name: str

    async def run(self) -> None: ...

    def health(self) -> FeedHealth: ...
