"""What bounds the desk and what stops it: limits, alarms, the stop ladder."""

from __future__ import annotations

import msgspec


class LimitRow(msgspec.Struct, frozen=True, array_like=True):
    name: str
    label: str
    rule: str
    unit: str
    """Word of ``core.risk.limits.Unit``: what the integers count."""
    used: int | None
    limit: int
    ceiling: int
    scope: str
    """Market ticker, event ticker, or empty for the whole desk."""
    fills_up: bool = True
    """Whether it has a bar; bounds of one order and readings of health have none."""
    floor: bool = False
    """Whether it is a minimum: higher is tighter."""
    clears: str = ""
    """What makes room once it is full."""


class AlarmRow(msgspec.Struct, frozen=True, array_like=True):
    id: int
    level: str
    """``ACT``, ``CHECK`` or ``NOTE``."""
    since_world_ms: int
    since_ns: int
    what: str
    effect: str
    clears: str
    acknowledged: bool
    active: bool
    scope: str = ""
    """What stands still for it, as ``resume`` names it: ``desk``, a venue, an event or a market."""
    kind: str = ""
    """Alike for alarms of one sort."""
    times: int = 1
    """How often it came, going in between."""
    shelved_by: str = ""
    """Who has put it aside; empty for nobody. It counts nowhere meanwhile."""
    shelved_until_wall_ms: int | None = None
    shelved_for: str = ""
    """The reason."""


class FlattenVenueRow(msgspec.Struct, frozen=True, array_like=True):
    venue: str
    cancels_sent: int
    cancels_confirmed: int
    cancels_unknown: int
    exits_sent: int
    exits_filled: int
    left: int
    """Contracts still held."""
    groups: int = 0
    """Safety groups of entries."""
    groups_triggered: int = 0
    exits_resting: int = 0
    """Exits the operator lets rest."""
    phase: str = ""
    """Of this venue's own ladder; none waits for another."""
    pause: str = ""
    """Why this venue takes no exits now."""
    pause_until_wall_ms: int | None = None
    receipt: str = ""
    """Its own end; empty while it goes on."""


class FlattenRow(msgspec.Struct, frozen=True, array_like=True):
    """Progress of the stop ladder. ``phase``: ``CANCELLING``, ``COUNTDOWN``, ``EXITING``,
    ``VERIFYING``, ``FLAT``, ``ABORTED``, ``UNFLATTENED``."""

    phase: str
    started_ns: int
    exits_at_ns: int | None
    """End of the countdown."""
    scope: str
    by: str
    venues: tuple[FlattenVenueRow, ...]
    residue: tuple[str, ...]
    receipt: str
    """The final line, with the cost against mid."""
    pressed: int
    pause: str = ""
    """Why the venue takes no exits now, such as ``trading paused``."""
    pause_until_wall_ms: int | None = None
    urgent: bool = False
    """Exits reach down to the widest protection."""
    sweep: str = ""
    """``asked`` or ``done`` where every order of the account is cancelled; else empty."""
    can_abort: bool = False
    """Whether the positions can still be kept."""
    watches: bool = False
    """Whether the engine goes on looking at what an ``UNFLATTENED`` ladder left."""
