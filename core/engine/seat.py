"""One venue's place at the desk: all that must go on there when another venue does not.

The desk's record, limits, cards and halts are one for all seats. A seat is what sends to one venue,
asks it, and knows how it stands; its tasks wait for nobody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.domain.market import Venue
from core.execution.flatten import Flattener
from core.execution.gateway import Gateway
from core.execution.groups import Groups
from core.execution.reconcile import Reconciler
from core.execution.renewals import Renewals
from core.execution.share import Share
from core.execution.unknowns import Unknowns
from core.risk.halts import HaltScope, ScopeKind
from core.venues.exchange import ExchangeState, Maintenance
from core.venues.traits import Traits
from core.venues.venue import Link, LinkState, Redeemable, VenueGateway


@dataclass(slots=True)
class Seat:
    """Who is who for one venue, and what it said of itself last."""

    venue: VenueGateway
    share: Share
    gateway: Gateway
    groups: Groups
    renewals: Renewals
    unknowns: Unknowns
    reconciler: Reconciler
    flattener: Flattener
    series: tuple[str, ...]
    """What of the venue is on the desk."""
    link: Link = field(default_factory=lambda: Link(LinkState.CONNECTING, 0))
    """As it was last told; ``venue.link`` has the newest heartbeat."""
    exchange: ExchangeState | None = None
    maintenance: tuple[Maintenance, ...] | None = None
    """Published times without trading; ``None`` before the first read."""
    reopened_ns: int | None = None
    """When the venue was last seen to trade again after a pause."""
    traded_ns: int | None = None
    """When the venue last said that it trades; ``None`` before it has."""
    queue_ahead: dict[str, int] = field(default_factory=dict)
    """Contracts (millionths) before our resting orders, by venue order id."""
    redeemable: dict[str, Redeemable] = field(default_factory=dict)
    """What waits to be paid out by hand, by ticker."""
    ready: bool = False
    """Whether its account has been read once."""

    @property
    def traits(self) -> Traits:
        return self.venue.traits

    @property
    def name(self) -> Venue:
        return self.venue.traits.venue

    def maintained(self, world_ms: int) -> Maintenance | None:
        """The published time without trading that the venue is in."""
        return next((w for w in self.maintenance or () if w.start_ms <= world_ms < w.end_ms), None)

    @property
    def scope(self) -> HaltScope:
        """What a halt of this venue alone covers."""
        return HaltScope(ScopeKind.VENUE, self.name.value)
