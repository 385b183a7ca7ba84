"""How the machinery is: processes, delays, rate limits, and what holds when it does not. Asked for."""

from __future__ import annotations

import msgspec

from core.control.tables.status import LinkRow


class ProcessRow(msgspec.Struct, frozen=True, array_like=True):
    """One process of the desk. Figures are ``None`` where the system tells none."""

    name: str
    """``engine``, ``watchdog``, ``simulator`` or ``console``."""
    pid: int
    what: str
    """Of a console whether it has control, of a watchdog why it could not cancel."""
    age_s: float | None
    cpu_s: float | None
    """Of all its threads since it started."""
    memory_mb: int | None


class HealthRow(msgspec.Struct, frozen=True, array_like=True):
    """A reading of the engine's own health and the limit beyond which nothing is opened."""

    name: str
    value: int | None
    limit: int
    unit: str
    """``milliseconds`` or ``megabytes``."""
    floor: bool
    """Whether the limit is a minimum."""


class BucketRow(msgspec.Struct, frozen=True, array_like=True):
    """One rate limit of a venue. Figures are tokens, times a hundred."""

    venue: str
    kind: str
    shard: int
    left: int
    burst: int
    rate: int
    """A second."""
    pace: int
    """Percent of the rate that everybody but cancels is held to."""
    waiting: int


class LayerRow(msgspec.Struct, frozen=True, array_like=True):
    """One of the layers that hold when the engine, its console or its venue does not."""

    name: str
    venue: str
    """Empty for the whole desk."""
    state: str
    """``armed``, ``triggered`` or ``not armed``."""
    detail: str
    """What it does, or why it is not armed."""


class DrillRow(msgspec.Struct, frozen=True, array_like=True):
    """The last drill of the stop ladder on this machine."""

    at_wall_ms: int
    passed: bool
    said: str


class OutsideRow(msgspec.Struct, frozen=True, array_like=True):
    """How people are told who look at no console."""

    state: str = "off"
    """``off``, ``unusable``, ``untried``, ``works`` or ``fails``."""
    detail: str = ""
    """Why it cannot be used, or why the newest message did not arrive."""
    worked_wall_ms: int | None = None
    """When a receiver last took a message."""
    tests: int = 0
    """How many have ended."""
    tested: str = ""
    """What came of the last one."""


class SystemRow(msgspec.Struct, frozen=True, array_like=True):
    processes: tuple[ProcessRow, ...]
    health: tuple[HealthRow, ...]
    links: tuple[LinkRow, ...]
    offsets: tuple[int | None, ...]
    """By which each venue's clock is ahead of this machine's, milliseconds, in the order of ``links``."""
    buckets: tuple[BucketRow, ...]
    layers: tuple[LayerRow, ...]
    drill: DrillRow | None
    """``None``: never drilled, for all anybody knows."""
    alarms: int
    """Conditions that stand and ask for a look or for action."""
    unseen: int
    """Of everything that rang, what nobody has acknowledged."""
    shelved: int
    """What is put aside for a time, counted neither there nor there."""
    journal: int
    """Number of the newest row."""
    outside: OutsideRow = OutsideRow()
