"""What is true of Polymarket whatever happens on it."""

from __future__ import annotations

from typing import Final

from core.domain.market import Venue
from core.venues.traits import DeadMan, Traits

LIFETIME_MIN_S: Final = 130
"""That time must be three minutes ahead when the venue reads the order; ten seconds are for the way there
and for clocks that differ."""

TRAITS: Final = Traits(
    venue=Venue.POLYMARKET,
    renews=False,
    reduces=False,
    reduce_only=False,
    client_ids=False,
    settles_later=True,
    dead_man=DeadMan.HEARTBEAT,
    lifetime_min_s=LIFETIME_MIN_S,
    tells_fees=False,
    pays_out=False,
)
