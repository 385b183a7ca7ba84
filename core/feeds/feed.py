"""The contract every data source fulfils: values with honest clocks, and the source's own health."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.feeds.budget import Left


class FeedState(enum.Enum):
    """How a source is."""

    WAITING = "WAITING"
    OK = "ok"
    STALE = "STALE"
    CLOSED = "closed"
    """What it tells of does not trade now, so nothing new is due: its last word is shown and not used."""
    DOWN = "DOWN"
    AUTH = "AUTH"
    """Its provider refuses the key: nothing is asked before another one is configured."""
    SPENT = "SPENT"
    """The quota is used up: it is asked again when that is whole."""
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
    """World time of the newest data held; with several stations or series, of the one nearest its limit."""
    received_ns: int | None
    stale_after_s: int
    """World seconds after ``newest_event_ms`` at which that data may not be used for entries."""
    retry_at_ns: int | None = None
    failures: int = 0
    detail: str = ""
    """The last error, or what is awaited or old, in words; of one that is off how to turn it on."""
    unchanged_polls: int = 0
    source: str = ""
    """Name of its section in the configuration, its recording and the values it tells: ``nws-grid``."""
    family: str = ""
    latency_ms: int | None = None
    """Of its last answer, from the question's first byte to the answer's last; a stream's from event to
    receipt."""
    budget: tuple[Left, ...] = ()
    missing: tuple[str, ...] = ()
    """Stations or series that it is asked for and has told nothing of yet."""


class Tried(msgspec.Struct, frozen=True):
    """What a test of a source found. ``text`` is one or more whole sentences."""

    passed: bool
    text: str


def within_hours(held: Sequence[int], world_ms: int, limit_s: int) -> tuple[FeedState, int | None]:
    """The state of a source that is not late, and the event time its row is aged by.

    ``held`` are the newest event times of what it tells of; one older than the plain limit rests until its
    market opens. Where all do the source is closed; else the row is as old as the oldest that trades.
    """
    trading = [at for at in held if world_ms - at <= limit_s * 1000]
    return (FeedState.OK if trading else FeedState.CLOSED), min(trading or held, default=None)


class Feed(Protocol):
    """A supervised source. ``run`` polls until cancelled and reports through the sink it was given."""

    name: str

    async def run(self) -> None: ...

    async def trial(self) -> Tried:
        """Ask once because an operator wants to know, over the same connection and within the same budget.
        Never raises for what the other side does."""
        ...

    def health(self) -> FeedHealth: ...
