"""What is true of Kalshi whatever happens on it."""

from __future__ import annotations

from typing import Final

from core.domain.market import Venue
from core.venues.traits import DeadMan, Traits

TRAITS: Final = Traits(
    venue=Venue.KALSHI,
    renews=True,
    reduces=True,
    reduce_only=True,
    client_ids=True,
    settles_later=False,
    dead_man=DeadMan.EXPIRY,
    lifetime_min_s=1,
)
