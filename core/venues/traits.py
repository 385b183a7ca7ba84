"""How venues differ, as data: what an order may rely on and what holds it when the engine does not.

Nothing outside ``core/venues``, the configuration and labels asks which venue it has; it asks these.
"""

from __future__ import annotations

import enum

import msgspec

from core.domain.market import Venue


class DeadMan(enum.Enum):
    """What ends resting orders once the engine is silent."""

    EXPIRY = "expiry"
    """Every order carries a near end that is renewed, and belongs to a group the venue cancels as one."""
    HEARTBEAT = "heartbeat"
    """The venue cancels everything of the key when no beat comes in time; see ``Beat``."""


class Traits(msgspec.Struct, frozen=True):
    """What is true of a venue whatever happens on it."""

    venue: Venue
    renews: bool
    """A resting order's end can be moved, its place in the queue kept."""
    reduces: bool
    """A resting order can be made smaller, its place in the queue kept."""
    reduce_only: bool
    """The venue itself keeps a reduce-only order from selling more than is held."""
    client_ids: bool
    """The venue carries our client order id; where it does not, an order is known by its sealed id."""
    settles_later: bool
    """A fill is provisional until its trade is confirmed or fails; only what is confirmed can be sold."""
    dead_man: DeadMan
    lifetime_min_s: int
    """The shortest life a resting order can be given, real seconds."""
    tells_fees: bool = True
    """Whether its list of trades says what each was charged; otherwise a fee is our own count of it."""
    pays_out: bool = True
    """Whether a market that is over is paid out by the venue; otherwise its owner has to ask on its page."""


class Beat(msgspec.Struct, frozen=True):
    """The dead-man switch of a venue with heartbeats, once armed."""

    missed: int
    """Beats in a row that were not accepted."""
    cancels_ns: int
    """When the venue cancels everything at the earliest if no further beat is accepted, monotonic."""
